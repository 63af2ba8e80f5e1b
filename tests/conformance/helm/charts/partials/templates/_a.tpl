{{ define "x" }}kind: A{{ end }}
kind: Never
