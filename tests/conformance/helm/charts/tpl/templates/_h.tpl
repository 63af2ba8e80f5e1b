{{ define "tpl.name" }}{{ .Chart.Name }}-{{ tpl "{{ .Release.Name }}" . }}{{ end }}
{{ define "local" }}out{{ end }}