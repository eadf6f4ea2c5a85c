{{/* The names and labels of everything. */}}

{{- define "glacis.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that `-certificates-replicas` still fits into a label of DNS. */}}
{{- define "glacis.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "glacis.instanceLabels" -}}
app.kubernetes.io/name: {{ include "glacis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "glacis.labels" -}}
{{ include "glacis.instanceLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Of the pods of one program: dict root, component. */}}
{{- define "glacis.selector" -}}
{{ include "glacis.instanceLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* `name`, `namespace` and `labels` of an object of one program: dict root, component, suffix. */}}
{{- define "glacis.metadata" -}}
name: {{ include "glacis.fullname" .root }}-{{ .component }}{{ .suffix }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "glacis.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "glacis.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{/* "true" with one Deployment per service, "" in the trial. */}}
{{- define "glacis.distributed" -}}
{{- $postgres := .Values.postgres.secretName -}}
{{- $kafka := .Values.kafka.brokers -}}
{{- if and $postgres (not $kafka) }}{{ fail "postgres.secretName is set, but kafka.brokers is not: services apart need both" }}{{ end -}}
{{- if and $kafka (not $postgres) }}{{ fail "kafka.brokers is set, but postgres.secretName is not: services apart need both" }}{{ end -}}
{{- if $postgres }}true{{ end -}}
{{- end -}}

{{/* The ports of each service, the same in both modes. */}}
{{- define "glacis.ports" -}}
gateway: { http: 8080, grpc: 7005 }
backends: { http: 9011, grpc: 7006, managers: 7011, agents: 7018 }
certificates: { http: 9010, grpc: 7012, est: 9012 }
graph-apps: { http: 9013 }
jobs: { http: 5000, parties: 5001 }
{{- end -}}

{{/* The programs that run, as a list in YAML: the services or the trial, and what works in the cluster. */}}
{{- define "glacis.programs" -}}
{{- $programs := ternary (include "glacis.ports" . | fromYaml | keys | sortAlpha) (list "suite") (not (empty (include "glacis.distributed" .))) -}}
{{- if .Values.operator.enabled }}{{ $programs = append $programs "operator" }}{{ end -}}
{{- if include "glacis.graphs" . }}{{ $programs = append $programs "webhooks" }}{{ end -}}
{{- toYaml $programs -}}
{{- end -}}

{{/* "true" where RampartGraphs are served. */}}
{{- define "glacis.graphs" -}}
{{- if and .Values.graphs.enabled .Values.operator.enabled -}}
{{- if .Values.operator.namespaces }}{{ fail "operator.namespaces is set, but graphs make namespaces of their own: say graphs.enabled=false" }}{{ end -}}
true
{{- end -}}
{{- end -}}

{{/* "true" where parties of jobs are pods. */}}
{{- define "glacis.partyPods" -}}
{{- if ne .Values.jobs.parties.provider "none" }}
{{- if semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version }}{{ fail "jobs.parties.provider is set, but this Kubernetes is older than 1.30: nothing would hold jobs to the namespaces of parties" }}{{ end -}}
{{- if not (or (include "glacis.graphs" .) (include "glacis.distributed" .)) }}{{ fail "jobs.parties.provider is set, but graphs are not served: in a trial both are one pod, with the rights of both" }}{{ end -}}
true
{{- end -}}
{{- end -}}

{{/* The program in whose pod a service is: dict root, component. */}}
{{- define "glacis.programOf" -}}
{{- ternary .component "suite" (not (empty (include "glacis.distributed" .root))) -}}
{{- end -}}

{{/* "true" for a program that speaks to the API server: dict root, component. */}}
{{- define "glacis.hasRights" -}}
{{- $programs := list "operator" "webhooks" -}}
{{- if include "glacis.graphs" .root }}{{ $programs = append $programs (include "glacis.programOf" (dict "root" .root "component" "graph-apps")) }}{{ end -}}
{{- if include "glacis.partyPods" .root }}{{ $programs = append $programs (include "glacis.programOf" (dict "root" .root "component" "jobs")) }}{{ end -}}
{{- if has .component $programs }}true{{ end -}}
{{- end -}}

{{/* Its group in the values: dict root, component. As JSON, as numbers of YAML would become floats. */}}
{{- define "glacis.valuesOf" -}}
{{- get .root.Values (.component | camelcase | untitle) | toJson -}}
{{- end -}}

{{/* The names that lead to a service inside the cluster, as YAML: dict root, component. */}}
{{- define "glacis.serviceNames" -}}
{{- $short := printf "%s-%s" (include "glacis.fullname" .root) .component -}}
{{- $inNamespace := printf "%s.%s" $short .root.Release.Namespace -}}
{{- $svc := printf "%s.svc" $inNamespace -}}
{{- list $svc (printf "%s.%s" $svc .root.Values.clusterDomain) $inNamespace $short | toYaml -}}
{{- end -}}

{{/* host:port inside the cluster that names a service with its namespace: dict root, component, port. */}}
{{- define "glacis.address" -}}
{{ include "glacis.fullname" .root }}-{{ .component }}.{{ .root.Release.Namespace }}.svc:{{ .port }}
{{- end -}}

{{- define "glacis.joinSecret" -}}
{{- .Values.secrets.join | default (printf "%s-join" (include "glacis.fullname" .)) -}}
{{- end -}}

{{- define "glacis.keysSecret" -}}
{{- .Values.secrets.keys | default (printf "%s-keys" (include "glacis.fullname" .)) -}}
{{- end -}}

{{- define "glacis.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{ .Values.publicUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.host -}}
{{ ternary "https" "http" (not (empty .Values.ingress.tlsSecretName)) }}://{{ .Values.ingress.host }}
{{- else if and .Values.gatewayApi.enabled .Values.gatewayApi.hostnames -}}
https://{{ first .Values.gatewayApi.hostnames }}
{{- else -}}
http://{{ include "glacis.address" (dict "root" . "component" "gateway" "port" 8080) }}
{{- end -}}
{{- end -}}

{{- define "glacis.statusUrl" -}}
{{- if .Values.statusUrl -}}
{{ .Values.statusUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.status.host -}}
http://{{ .Values.ingress.status.host }}
{{- end -}}
{{- end -}}
