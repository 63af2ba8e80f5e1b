{{ define "lib.meta" -}}
name: {{ .Release.Name }}-{{ .Chart.Name }}
labels: {{ toJson (dict "a" "b") }}
{{- end }}
