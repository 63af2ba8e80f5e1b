{{- define "image" -}}
{{ .key }}{{ .suffix }}
{{- $_ := unset . "suffix" -}}
{{- end -}}
