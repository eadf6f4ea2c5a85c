{{/*
The pod of one program, by the standard `restricted` and with a read-only root.
Dict root, component, program (folder of apps/), args (optional list), env (YAML), given (more of it), resources, ports (by name), volumes
(a list of volumes with the `path` that each is mounted at), grace (seconds to stop in).
*/}}
{{- define "glacis.pod" -}}
{{- $root := .root -}}
{{- $volumes := append .volumes (dict "name" "tmp" "path" "/tmp" "emptyDir" (dict "sizeLimit" "256Mi")) -}}
metadata:
  labels:
    {{- include "glacis.selector" . | nindent 4 }}
    {{- with $root.Values.pods.labels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $root.Values.pods.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "glacis.fullname" $root }}-{{ .component }}
  automountServiceAccountToken: {{ not (empty (include "glacis.hasRights" .)) }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .grace }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "glacis.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [node, apps/{{ .program }}/dist/main.js]
      {{- with .args }}
      args: {{ toJson . }}
      {{- end }}
      securityContext:
        {{- include "glacis.containerSecurity" . | nindent 8 }}
      env:
        {{- include "glacis.env" (dict "root" $root "own" .env "given" .given) | trim | nindent 8 }}
      ports:
        {{- range $name, $port := .ports }}
        - { name: {{ $name }}, containerPort: {{ $port }} }
        {{- end }}
      # The database may have to come up first, or to recover.
      startupProbe:
        httpGet: { path: /health/live, port: http }
        periodSeconds: 2
        failureThreshold: 90
      livenessProbe:
        httpGet: { path: /health/live, port: http }
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /health/ready, port: http }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      resources:
        {{- toYaml .resources | nindent 8 }}
      volumeMounts:
        {{- range $volumes }}
        - { name: {{ .name }}, mountPath: {{ .path }}{{ if or .secret .projected }}, readOnly: true{{ end }} }
        {{- end }}
  volumes:
    {{- range $volumes }}
    - {{ omit . "path" | toYaml | nindent 6 | trim }}
    {{- end }}
  {{- with $root.Values.pods.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pods.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pods.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and $root.Values.pods.spreadOver (ne .component "suite") }}
  topologySpreadConstraints:
    {{- range $root.Values.pods.spreadOver }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "glacis.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with $root.Values.pods.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end -}}

{{- define "glacis.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* A Secret as a volume of the pod: dict name, path, secret, key (optional, else all), as (file name of the key). */}}
{{- define "glacis.secretVolume" -}}
name: {{ .name }}
path: {{ .path }}
secret:
  secretName: {{ .secret }}
  defaultMode: 288
  {{- with .key }}
  items: [{ key: {{ . }}, path: {{ $.as }} }]
  {{- end }}
{{- end -}}

{{/*
What nodes pull the image with, for jobs to copy into the namespaces of parties: as files, so that it needs no right to read
Secrets. Each by its name, kept up to date by the kubelet. Empty where it copies none.
*/}}
{{- define "glacis.partiesPullVolume" -}}
{{- if and .Values.image.pullSecrets (include "glacis.partyPods" .) }}
name: parties-pull
path: /etc/glacis/parties-pull
projected:
  defaultMode: 288
  sources:
    {{- range .Values.image.pullSecrets }}
    - secret: { name: {{ .name }}, items: [{ key: .dockerconfigjson, path: {{ .name }} }] }
    {{- end }}
{{- end }}
{{- end -}}
