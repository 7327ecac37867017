{{/* What the pod is selected by; never changes during a release's life. */}}
{{- define "reelhouse.selector" -}}
app.kubernetes.io/name: reelhouse
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "reelhouse.labels" -}}
{{ include "reelhouse.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
