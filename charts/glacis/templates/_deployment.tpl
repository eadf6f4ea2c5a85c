{{/* A Deployment: dict root, component, replicas (optional, else of the values), recreate (true: the old pod goes before the new one comes), and what glacis.pod takes. */}}
{{- define "glacis.deployment" -}}
{{- $values := include "glacis.valuesOf" . | fromJson -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "glacis.metadata" . | nindent 2 }}
spec:
  {{- if not (dig "autoscaling" "enabled" false $values) }}
  replicas: {{ .replicas | default $values.replicas }}
  {{- end }}
  strategy:
    {{- if .recreate }}
    type: Recreate
    {{- else }}
    # As many as there are to be stay ready.
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
    {{- end }}
  selector:
    matchLabels:
      {{- include "glacis.selector" . | nindent 6 }}
  template:
    {{- include "glacis.pod" (merge (dict) . (dict "program" .component "given" $values.env "resources" $values.resources)) | nindent 4 }}
{{- end -}}

{{- define "glacis.joinVolume" -}}
{{ include "glacis.secretVolume" (dict "name" "join" "path" "/etc/glacis/join" "secret" (include "glacis.joinSecret" .)) }}
{{- end -}}
