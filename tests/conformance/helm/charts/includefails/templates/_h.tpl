{{ define "outer" }}{{ include "inner" . }}{{ end }}
{{ define "inner" }}
{{ fail (printf "no %s" .Chart.Name) }}{{ end }}
