# ruff: noqa: E501  (lines of templates are as long as charts have them)
"""Builds charts of a given size in the style of a monitoring stack, the same ones every time.

`stack` writes 250 templates in five charts: components of eight objects each (some switched off),
rules whose every alert has its own switch, and dashboards that are large JSON texts.
"""

import json
import pathlib
from typing import Any

from fluvial.render.yaml import dump

__all__ = ["small", "stack"]

HELPERS = """\
{{- define "CHART.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end }}
{{- define "CHART.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 26 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 26 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 26 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- define "CHART.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}
{{- define "CHART.labels" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: "{{ replace "+" "_" .Chart.Version }}"
app.kubernetes.io/part-of: {{ template "CHART.name" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
release: {{ $.Release.Name | quote }}
heritage: {{ $.Release.Service | quote }}
{{- if .Values.commonLabels }}
{{ toYaml .Values.commonLabels }}
{{- end }}
{{- end }}
{{- define "CHART.image" -}}
{{- $registry := .context.Values.global.imageRegistry | default .image.registry -}}
{{- if .image.sha -}}
{{ $registry }}/{{ .image.repository }}:{{ .image.tag }}@sha256:{{ .image.sha }}
{{- else -}}
{{ $registry }}/{{ .image.repository }}:{{ .image.tag | default .context.Chart.AppVersion }}
{{- end -}}
{{- end -}}
"""

HEAD = """\
{{- if and .Values.NAME.enabled .Values.NAME.SWITCH.create }}
apiVersion: VERSION
kind: KIND
metadata:
  name: {{ template "CHART.fullname" . }}-NAME
  namespace: {{ template "CHART.namespace" . }}
  labels:
    app: {{ template "CHART.name" . }}-NAME
{{ include "CHART.labels" . | indent 4 }}
{{- if .Values.NAME.labels }}
{{ toYaml .Values.NAME.labels | indent 4 }}
{{- end }}
{{- with .Values.NAME.annotations }}
  annotations:
{{ toYaml . | indent 4 }}
{{- end }}
"""

BODIES = {
    "deployment": ("apps/v1", "Deployment", """\
spec:
  replicas: {{ .Values.NAME.replicas }}
  revisionHistoryLimit: {{ .Values.NAME.revisionHistoryLimit | int }}
  selector:
    matchLabels:
      app: {{ template "CHART.name" . }}-NAME
      release: {{ $.Release.Name | quote }}
  template:
    metadata:
      labels:
        app: {{ template "CHART.name" . }}-NAME
        release: {{ $.Release.Name | quote }}
      {{- with .Values.NAME.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- if .Values.NAME.priorityClassName }}
      priorityClassName: {{ .Values.NAME.priorityClassName }}
      {{- end }}
      serviceAccountName: {{ template "CHART.fullname" . }}-NAME
      automountServiceAccountToken: {{ .Values.NAME.automount }}
      {{- with .Values.NAME.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: NAME
          image: {{ include "CHART.image" (dict "image" .Values.NAME.image "context" $) | quote }}
          imagePullPolicy: {{ .Values.NAME.image.pullPolicy }}
          args:
            {{- range $flag, $value := .Values.NAME.flags }}
            - --{{ $flag }}={{ tpl (toString $value) $ }}
            {{- end }}
            {{- if semverCompare ">=1.25-0" .Capabilities.KubeVersion.Version }}
            - --modern
            {{- end }}
          env:
            {{- range .Values.NAME.env }}
            - name: {{ .name }}
              value: {{ .value | quote }}
            {{- end }}
          ports:
            - name: {{ .Values.NAME.service.portName }}
              containerPort: {{ .Values.NAME.service.targetPort }}
              protocol: TCP
          {{- if .Values.NAME.probe.enabled }}
          livenessProbe:
            httpGet:
              path: {{ .Values.NAME.probe.path }}
              port: {{ .Values.NAME.service.portName }}
            {{- omit .Values.NAME.probe "enabled" "path" | toYaml | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml .Values.NAME.resources | nindent 12 }}
      {{- with .Values.NAME.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if or .Values.NAME.affinity .Values.global.affinity }}
      affinity:
        {{- toYaml (default .Values.global.affinity .Values.NAME.affinity) | nindent 8 }}
      {{- end }}
"""),
    "service": ("v1", "Service", """\
spec:
  type: {{ .Values.NAME.service.type }}
  {{- if and .Values.NAME.service.clusterIP (eq .Values.NAME.service.type "ClusterIP") }}
  clusterIP: {{ .Values.NAME.service.clusterIP }}
  {{- end }}
  ports:
    - name: {{ .Values.NAME.service.portName }}
      port: {{ .Values.NAME.service.port }}
      targetPort: {{ .Values.NAME.service.targetPort }}
  {{- range $index, $port := .Values.NAME.service.extraPorts }}
    - name: {{ $port.name | default (printf "extra-%d" $index) }}
      port: {{ $port.port }}
  {{- end }}
  selector:
    app: {{ template "CHART.name" . }}-NAME
    release: {{ $.Release.Name | quote }}
"""),
    "serviceaccount": ("v1", "ServiceAccount", """\
automountServiceAccountToken: {{ .Values.NAME.automount }}
{{- if .Values.global.imagePullSecrets }}
imagePullSecrets:
{{ toYaml .Values.global.imagePullSecrets | trim | indent 2 }}
{{- end }}
"""),
    "role": ("rbac.authorization.k8s.io/v1", "Role", """\
rules:
{{- range $group, $resources := .Values.NAME.rbac.rules }}
  - apiGroups: [{{ $group | quote }}]
    resources:
    {{- range $resources }}
      - {{ . }}
    {{- end }}
    verbs: ["get", "list", "watch"]
{{- else }}
  []
{{- end }}
"""),
    "rolebinding": ("rbac.authorization.k8s.io/v1", "RoleBinding", """\
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ template "CHART.fullname" . }}-NAME
subjects:
  - kind: ServiceAccount
    name: {{ template "CHART.fullname" . }}-NAME
    namespace: {{ template "CHART.namespace" . }}
"""),
    "servicemonitor": ("monitoring.coreos.com/v1", "ServiceMonitor", """\
spec:
  jobLabel: {{ .Values.NAME.monitor.jobLabel | default "jobLabel" }}
  selector:
    matchLabels:
      app: {{ template "CHART.name" . }}-NAME
      release: {{ $.Release.Name | quote }}
  endpoints:
    - port: {{ .Values.NAME.service.portName }}
      {{- if .Values.NAME.monitor.interval }}
      interval: {{ .Values.NAME.monitor.interval }}
      {{- end }}
      {{- if .Values.NAME.monitor.relabelings }}
      metricRelabelings: {{ tpl (toYaml .Values.NAME.monitor.relabelings | nindent 8) . }}
      {{- end }}
"""),
    "networkpolicy": ("networking.k8s.io/v1", "NetworkPolicy", """\
spec:
  podSelector:
    matchLabels:
      app: {{ template "CHART.name" . }}-NAME
  ingress:
    - ports:
        - port: {{ .Values.NAME.service.targetPort | int64 }}
  policyTypes: {{ list "Ingress" (ternary "Egress" "Ingress" .Values.NAME.probe.enabled) | uniq | toJson }}
"""),
    "pdb": ("policy/v1", "PodDisruptionBudget", """\
spec:
  {{- if .Values.NAME.pdb.maxUnavailable }}
  maxUnavailable: {{ .Values.NAME.pdb.maxUnavailable }}
  {{- else }}
  minAvailable: {{ .Values.NAME.pdb.minAvailable | default 1 }}
  {{- end }}
  selector:
    matchLabels:
      app: {{ template "CHART.name" . }}-NAME
"""),
}  # fmt: skip
SWITCHES = {"pdb": "pdb", "networkpolicy": "policy", "servicemonitor": "monitor"}

RULE_HEAD = """\
{{- $major := default .Capabilities.KubeVersion.Major .Values.major }}
{{- if and (semverCompare ">=1.14.0-0" .Capabilities.KubeVersion.Version) .Values.rules.create .Values.rules.groups.NAME }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ printf "%s-%s" (include "CHART.fullname" .) "NAME" | trunc 63 | trimSuffix "-" }}
  namespace: {{ template "CHART.namespace" . }}
  labels:
    app: {{ template "CHART.name" . }}
{{ include "CHART.labels" . | indent 4 }}
spec:
  groups:
  - name: NAME
    rules:
"""
RULE = """\
{{- if not (.Values.rules.disabled.ALERT | default false) }}
    - alert: ALERT
      annotations:
{{- if .Values.rules.extra }}
{{ toYaml .Values.rules.extra | indent 8 }}
{{- end }}
        description: Job {{`{{`}} $labels.job {{`}}`}} of {{`{{`}} $labels.namespace {{`}}`}} has been above {{`{{`}} $value | humanize {{`}}`}} for too long.
        runbook_url: {{ .Values.rules.runbookUrl }}/NAME/alert
        summary: Something of NAME is wrong.
      expr: |-
        sum by (job, namespace) (rate(errors_total{job=~"{{ .Values.rules.job }}", code=~"5.."}[{{ .Values.rules.window | default "5m" }}]))
          / sum by (job, namespace) (rate(requests_total[5m])) > 0.1
      for: {{ dig "ALERT" "for" "15m" .Values.rules.custom }}
      {{- with .Values.rules.keepFiringFor }}
      keep_firing_for: "{{ . }}"
      {{- end }}
      labels:
        severity: {{ dig "ALERT" "severity" "warning" .Values.rules.custom }}
    {{- if or .Values.rules.labels .Values.rules.groupLabels }}
        {{- with .Values.rules.labels }}
          {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- end }}
{{- end }}
"""
DASHBOARD = """\
{{- if and .Values.dashboards.enabled (not .Values.dashboards.external) }}
apiVersion: v1
kind: ConfigMap
metadata:
  namespace: {{ template "CHART.namespace" . }}
  name: {{ printf "%s-%s" (include "CHART.fullname" $) "NAME" | trunc 63 | trimSuffix "-" }}
  labels:
    {{- if $.Values.dashboards.label }}
    {{ $.Values.dashboards.label }}: {{ ternary $.Values.dashboards.value "1" (not (empty $.Values.dashboards.value)) | quote }}
    {{- end }}
{{ include "CHART.labels" $ | indent 4 }}
data:
  NAME.json: |-
    CONTENT
{{- end }}
"""


def component(name: str, number: int) -> dict[str, Any]:
    """Return the values of one component; every third is switched off."""
    return {
        "enabled": number % 3 != 2,
        "account": {"create": True},
        "replicas": 1 + number % 3,
        "revisionHistoryLimit": 10,
        "automount": True,
        "labels": {},
        "annotations": {"example.com/team": f"team-{number}"} if number % 2 else {},
        "podAnnotations": {"checksum/config": "0" * 40},
        "priorityClassName": "",
        "securityContext": {"fsGroup": 2000, "runAsNonRoot": True, "runAsUser": 1000},
        "image": {
            "registry": "registry.example.com",
            "repository": f"monitoring/{name}",
            "tag": f"v1.{number}.0",
            "sha": "",
            "pullPolicy": "IfNotPresent",
        },
        "flags": {f"flag-{index}": f"value-{index}" for index in range(8)}
        | {"namespace": "{{ .Release.Namespace }}"},
        "env": [{"name": f"VAR_{index}", "value": index} for index in range(4)],
        "service": {
            "type": "ClusterIP",
            "clusterIP": "",
            "port": 9090 + number,
            "targetPort": 9090,
            "portName": "http-web",
            "extraPorts": [{"port": 8081}, {"name": "grpc", "port": 10901}],
        },
        "probe": {"enabled": True, "path": "/-/healthy", "periodSeconds": 10, "timeoutSeconds": 3},
        "resources": {"limits": {"cpu": "200m"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {},
        "rbac": {"create": True, "rules": {"apps": ["deployments", "daemonsets"], "": ["pods"]}},
        "monitor": {"create": True, "interval": "30s", "relabelings": [{"action": "keep"}]},
        "policy": {"create": number % 2 == 0},
        "pdb": {"create": True, "maxUnavailable": 0, "minAvailable": 1},
    }


def dashboard(number: int) -> str:
    """Return the JSON of a dashboard of about 9 KB, as it stands in a template."""
    panels = [
        {
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "fieldConfig": {"defaults": {"unit": "percentunit", "min": 0}},
            "gridPos": {"h": 7, "w": 12, "x": 0, "y": index * 7},
            "id": index,
            "targets": [{"expr": f'sum(rate(metric_{number}_{index}{{job="$job"}}[5m]))',
                         "legendFormat": "{{pod}} of {{namespace}}"}],
            "title": f"Panel {index} of dashboard {number}",
            "type": "timeseries",
        }
        for index in range(24)
    ]  # fmt: skip
    text = json.dumps({"editable": False, "panels": panels, "title": f"Dashboard {number}"})
    return text.replace("{{", "\0").replace("}}", "{{`}}`}}").replace("\0", "{{`{{`}}")


def _write(folder: pathlib.Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _chart(name: str, first: int, components: int, rules: int, dashboards: int) -> dict[str, str]:
    """Return the files of one chart."""
    values: dict[str, Any] = {
        "nameOverride": "",
        "fullnameOverride": "",
        "namespaceOverride": "",
        "commonLabels": {"team": "platform"},
        "global": {"imageRegistry": "", "imagePullSecrets": [{"name": "pull"}], "affinity": {}},
        "dashboards": {"enabled": True, "external": False, "label": "dashboard", "value": ""},
        "rules": {
            "create": True, "groups": {}, "disabled": {}, "custom": {"Alert1": {"for": "1h"}},
            "extra": {}, "runbookUrl": "https://runbooks.example.com", "job": "api.*",
            "window": None, "keepFiringFor": "", "labels": {}, "groupLabels": {},
        },
    }  # fmt: skip
    files = {"templates/_helpers.tpl": HELPERS.replace("CHART", name)}
    for number in range(first, first + components):
        part = f"part{number}"
        values[part] = component(part, number)
        for file, (version, kind, body) in BODIES.items():
            switch = SWITCHES.get(file, "account")
            head = HEAD.replace("SWITCH", switch).replace("VERSION", version).replace("KIND", kind)
            text = f"{head}{body}{{{{- end }}}}\n".replace("NAME", part).replace("CHART", name)
            files[f"templates/{part}/{file}.yaml"] = text
    for number in range(rules):
        group = f"group{number}"
        values["rules"]["groups"][group] = number % 7 != 0
        alerts = "".join(RULE.replace("ALERT", f"Alert{number}x{i}") for i in range(6))
        text = f"{RULE_HEAD}{alerts}{{{{- end }}}}\n".replace("NAME", group)
        files[f"templates/rules/{group}.yaml"] = text.replace("CHART", name)
    for number in range(dashboards):
        text = DASHBOARD.replace("CONTENT", dashboard(number)).replace("CHART", name)
        files[f"templates/dashboards/board{number}.yaml"] = text.replace("NAME", f"board{number}")
    files["values.yaml"] = dump(values)
    files["Chart.yaml"] = dump(
        {"apiVersion": "v2", "name": name, "version": "1.2.3", "appVersion": "4.5.6"}
    )
    return files


def stack(folder: pathlib.Path) -> None:
    """Write the chart of 250 templates, in four subcharts and itself."""
    _write(folder, _chart("monitoring", 0, 8, 56, 29))
    for index, name in enumerate(("exporter", "state", "boards", "gateway")):
        _write(folder / "charts" / name, _chart(name, 8 + index * 3, 3, 1, 0))


def small(folder: pathlib.Path) -> None:
    """Write a chart of 12 templates: one component, two groups of rules and a dashboard."""
    _write(folder, _chart("service", 0, 1, 2, 1))
