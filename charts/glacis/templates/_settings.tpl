{{/* The environment of each program, as docs/settings.md explains it. */}}

{{/* Of every service, in both modes. */}}
{{- define "glacis.commonEnv" -}}
- { name: GLACIS_HOST, value: 0.0.0.0 }
- { name: GLACIS_LOG_LEVEL, value: {{ .Values.logLevel }} }
{{- with .Values.traceEndpoint }}
- { name: GLACIS_TRACE_ENDPOINT, value: {{ quote . }} }
{{- end }}
- { name: GLACIS_JOIN_TOKEN_FILE, value: /etc/glacis/join/token }
{{- with .Values.trustedProxies }}
- { name: GLACIS_HTTP_TRUSTED_PROXIES, value: {{ join "," . | quote }} }
{{- end }}
{{- with .Values.oidc }}
{{- if .secretName }}
- name: GLACIS_TOKENS_OIDC
  valueFrom: { secretKeyRef: { name: {{ .secretName }}, key: {{ .key }} } }
{{- end }}
{{- end }}
{{- end -}}

{{/* What a service has of its own in both modes, such as the names in its certificate: dict root, component. */}}
{{- define "glacis.namesEnv" -}}
{{- $values := .root.Values -}}
{{- $routes := ternary $values.gatewayApi.passthrough dict $values.gatewayApi.enabled -}}
{{- $own := include "glacis.serviceNames" . | fromYamlArray -}}
{{- if eq .component "gateway" }}
- { name: GLACIS_GATEWAY_GRPC_NAMES, value: "{{ join "," $own }}" }
{{- else if eq .component "backends" }}
{{- $names := concat $values.backends.names (list $routes.managers $routes.agents) $own | compact }}
- { name: GLACIS_BACKENDS_PUBLIC_NAMES, value: "{{ join "," $names }}" }
{{- else if eq .component "certificates" }}
{{- $names := concat $values.certificates.names (list $routes.est) $own | compact }}
{{- $reserved := $own }}
{{- range list "gateway" "backends" "webhooks" }}
{{- $reserved = concat $reserved (include "glacis.serviceNames" (dict "root" $.root "component" .) | fromYamlArray) }}
{{- end }}
- { name: GLACIS_CERTS_EST_NAMES, value: "{{ join "," $names }}" }
- { name: GLACIS_CERTS_GRPC_NAMES, value: "{{ join "," $own }}" }
- { name: GLACIS_CERTS_RESERVED_NAMES, value: "{{ join "," $reserved }}" }
- { name: GLACIS_CERTS_PUBLIC_URL, value: {{ include "glacis.publicUrl" .root | quote }} }
{{- with include "glacis.statusUrl" .root }}
- { name: GLACIS_CERTS_STATUS_URL, value: {{ quote . }} }
{{- end }}
- { name: GLACIS_CERTS_ALLOW_LOOPBACK, value: "false" }
{{- else if eq .component "jobs" }}
- { name: GLACIS_JOBS_PUBLIC_URL, value: {{ include "glacis.publicUrl" .root | quote }} }
{{- if include "glacis.partyPods" .root }}
- { name: GLACIS_JOBS_AGENTS_URL, value: "https://{{ include "glacis.address" (dict "root" .root "component" "jobs" "port" 5001) }}" }
# Parties in the pod of jobs are reached by nobody else.
- { name: GLACIS_JOBS_EXECUTION_ALLOW, value: "local,cloud" }
- { name: GLACIS_JOBS_KUBERNETES_PROVIDER, value: {{ $values.jobs.parties.provider }} }
- { name: GLACIS_JOBS_KUBERNETES_INSTALLATION, value: {{ printf "%s.%s" (include "glacis.fullname" .root) .root.Release.Namespace | trunc 63 | trimSuffix "-" | trimSuffix "." }} }
- { name: GLACIS_JOBS_KUBERNETES_IMAGE, value: {{ include "glacis.image" .root | quote }} }
- { name: GLACIS_JOBS_KUBERNETES_RUNTIME_CLASS, value: {{ quote $values.jobs.parties.runtimeClassName }} }
- { name: GLACIS_JOBS_KUBERNETES_STORAGE_CLASS, value: {{ quote $values.jobs.parties.className }} }
{{- with $values.image.pullSecrets }}
{{- $files := list }}
{{- range . }}{{ $files = append $files (printf "/etc/glacis/parties-pull/%s" .name) }}{{ end }}
- { name: GLACIS_JOBS_KUBERNETES_PULL_SECRET_FILES, value: {{ join "," $files | quote }} }
{{- end }}
{{- end }}
{{- else if eq .component "graph-apps" }}
- { name: GLACIS_GRAPH_APPS_TENANT, value: {{ $values.operator.tenant }} }
{{- end }}
{{- end -}}

{{/* Where programs find the services: dict root, of (names of services). */}}
{{- define "glacis.peerEnv" -}}
{{- $ports := include "glacis.ports" .root | fromYaml -}}
{{- $variables := dict "gateway" "GLACIS_GATEWAY_GRPC_URL" "backends" "GLACIS_BACKENDS_GRPC_URL" "certificates" "GLACIS_CERTS_GRPC_URL" -}}
{{- $replicas := ternary "-replicas" "" (not (empty (include "glacis.distributed" .root))) -}}
{{- range .of }}
- { name: {{ get $variables . }}, value: "{{ include "glacis.address" (dict "root" $.root "component" (print . $replicas) "port" (get $ports .).grpc) }}" }
{{- end }}
{{- end -}}

{{/* The trial: every service in one process, its data on a volume. */}}
{{- define "glacis.suiteEnv" -}}
{{ include "glacis.commonEnv" . }}
- { name: GLACIS_DATA_DIR, value: /var/lib/glacis }
{{- range $component, $ports := include "glacis.ports" . | fromYaml }}
{{- include "glacis.namesEnv" (dict "root" $ "component" $component) }}
{{- if and $.Values.operator.enabled $ports.grpc }}
- { name: {{ $component | replace "certificates" "certs" | upper | printf "GLACIS_%s_GRPC_PORT" }}, value: {{ $ports.grpc | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{/* A service apart: dict root, component. */}}
{{- define "glacis.serviceEnv" -}}
{{- $values := .root.Values -}}
{{ include "glacis.commonEnv" .root }}
{{- include "glacis.namesEnv" . }}
{{ include "glacis.peerEnv" (dict "root" .root "of" (without (list "gateway" "backends" "certificates") .component)) }}
- name: GLACIS_DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ $values.postgres.secretName }}, key: {{ get $values.postgres.keys (.component | camelcase | untitle) }} } }
- { name: GLACIS_KAFKA_BROKERS, value: {{ $values.kafka.brokers | quote }} }
- { name: GLACIS_KAFKA_PREFIX, value: {{ $values.kafka.prefix | quote }} }
{{- with $values.kafka.tls }}
{{- if .enabled }}
- { name: GLACIS_KAFKA_TLS, value: "true" }
{{- if .caSecretName }}
- { name: GLACIS_KAFKA_TLS_CA_FILE, value: /etc/glacis/kafka-ca/ca.crt }
{{- end }}
{{- if .certSecretName }}
- { name: GLACIS_KAFKA_TLS_CERT_FILE, value: /etc/glacis/kafka-cert/tls.crt }
- { name: GLACIS_KAFKA_TLS_KEY_FILE, value: /etc/glacis/kafka-cert/tls.key }
{{- end }}
{{- end }}
{{- end }}
{{- with $values.kafka.sasl }}
{{- if .secretName }}
- { name: GLACIS_KAFKA_SASL_MECHANISM, value: {{ .mechanism }} }
- name: GLACIS_KAFKA_SASL_USER
  valueFrom: { secretKeyRef: { name: {{ .secretName }}, key: username } }
- name: GLACIS_KAFKA_SASL_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ .secretName }}, key: password } }
{{- end }}
{{- end }}
{{- if eq .component "gateway" }}
# Clients come by the address of the Service: they are led away before it stops to listen.
- { name: GLACIS_HTTP_SHUTDOWN_DELAY, value: 3s }
{{- if include "glacis.partyPods" .root }}
# A create waits for pods of parties.
- { name: GLACIS_GATEWAY_REPLY_TIMEOUT, value: 3m }
{{- end }}
- { name: GLACIS_GATEWAY_KEK_FILE, value: /etc/glacis/kek/kek }
- { name: GLACIS_GATEWAY_BACKENDS_URLS, value: "http://{{ include "glacis.address" (dict "root" .root "component" "backends-replicas" "port" 9011) }}" }
- { name: GLACIS_GATEWAY_CERTIFICATES_URLS, value: "http://{{ include "glacis.address" (dict "root" .root "component" "certificates-replicas" "port" 9010) }}" }
- { name: GLACIS_GATEWAY_GRAPH_APPS_URLS, value: "http://{{ include "glacis.address" (dict "root" .root "component" "graph-apps-replicas" "port" 9013) }}" }
- { name: GLACIS_GATEWAY_JOBS_URLS, value: "http://{{ include "glacis.address" (dict "root" .root "component" "jobs-replicas" "port" 5000) }}" }
{{- else if eq .component "jobs" }}
- { name: GLACIS_JOBS_SECRET_FILE, value: /etc/glacis/kek/kek }
- { name: GLACIS_JOBS_AGENTS_HOST, value: 0.0.0.0 }
- { name: GLACIS_JOBS_DATA_DIR, value: /var/lib/glacis/jobs }
{{- else if ne .component "graph-apps" }}
- { name: GLACIS_{{ .component | replace "certificates" "certs" | upper }}_KEK_FILE, value: /etc/glacis/kek/kek }
{{- end }}
{{- end -}}

{{/* Of what works in the cluster. */}}
{{- define "glacis.clusterEnv" -}}
- { name: GLACIS_HOST, value: 0.0.0.0 }
- { name: GLACIS_LOG_LEVEL, value: {{ .Values.logLevel }} }
{{- with .Values.traceEndpoint }}
- { name: GLACIS_TRACE_ENDPOINT, value: {{ quote . }} }
{{- end }}
- { name: GLACIS_JOIN_TOKEN_FILE, value: /etc/glacis/join/token }
{{- if include "glacis.graphs" . }}
# A rule asks for it as well.
- { name: GLACIS_KAFKA_BOOTSTRAP, value: {{ quote .Values.graphs.kafka.bootstrap }} }
- { name: GLACIS_OPERATOR_WEBHOOK_CONFIGURATION, value: {{ include "glacis.webhookConfiguration" . }} }
{{- if not .Values.webhooks.certificate.secretName }}
- { name: GLACIS_OPERATOR_WEBHOOK_NAMES, value: "{{ include "glacis.serviceNames" (dict "root" . "component" "webhooks") | fromYamlArray | join "," }}" }
{{- end }}
{{- end }}
{{- end -}}

{{- define "glacis.operatorEnv" -}}
{{ include "glacis.clusterEnv" . }}
{{ include "glacis.peerEnv" (dict "root" . "of" (list "gateway" "backends" "certificates")) }}
- { name: GLACIS_OPERATOR_RESOURCES, value: "teemanagers{{ if include "glacis.graphs" . }},rampartgraphs{{ end }}" }
- { name: GLACIS_OPERATOR_DOOR_URL, value: "http://{{ include "glacis.address" (dict "root" . "component" "gateway" "port" 8080) }}" }
- { name: GLACIS_OPERATOR_MANAGER_URL, value: {{ .Values.operator.managerUrl | default (include "glacis.address" (dict "root" . "component" "backends" "port" 7011)) }} }
- { name: GLACIS_OPERATOR_MANAGER_IMAGE, value: {{ .Values.operator.managerImage | default (include "glacis.image" .) }} }
- { name: GLACIS_OPERATOR_TENANT, value: {{ .Values.operator.tenant }} }
- { name: GLACIS_OPERATOR_NAMESPACES, value: {{ join "," .Values.operator.namespaces | quote }} }
{{- if include "glacis.graphs" . }}
{{ include "glacis.graphsEnv" . }}
{{- end }}
{{- end -}}

{{/* What graphs get from the operator. */}}
{{- define "glacis.graphsEnv" -}}
{{- with .Values.graphs }}
- { name: RAMPART_REGISTRY, value: {{ quote .registry }} }
- { name: RAMPART_STORAGE_CLASS, value: {{ quote .storage.className }} }
{{- if .pullSecretName }}
- { name: RAMPART_IMAGE_PULL_SECRET_PATH, value: /etc/glacis/graphs-pull/.dockerconfigjson }
{{- end }}
- { name: RAMPART_FLOW_IMAGE, value: {{ include "glacis.image" $ | quote }} }
- { name: GLACIS_REPO_IMAGE, value: {{ .repositoryImage | default (include "glacis.image" $) | quote }} }
- { name: GLACIS_KAFKA_CLIENT_SECRET, value: {{ quote .kafka.clientSecretName }} }
- { name: RAMPART_PULSAR_SERVICE, value: {{ quote .pulsar.service }} }
- { name: RAMPART_PULSAR_NAMESPACE, value: {{ quote .pulsar.namespace }} }
- { name: RAMPART_PULSAR_DEPLOYMENT, value: {{ quote .pulsar.deployment }} }
- { name: RAMPART_PULSAR_ADMIN_PORT, value: {{ quote .pulsar.adminPort }} }
- { name: RAMPART_PULSAR_CLIENT_PORT, value: {{ quote .pulsar.clientPort }} }
- { name: RAMPART_AUX_CHART_REPO, value: {{ quote .auxChart.repo }} }
- { name: RAMPART_AUX_CHART_NAME, value: {{ quote .auxChart.name }} }
- { name: RAMPART_AUX_CHART_VERSION, value: {{ quote .auxChart.version }} }
- { name: RAMPART_REPO_TIMEOUT, value: {{ quote .timeouts.repository }} }
- { name: RAMPART_REPO_FLOW_INIT_TIMEOUT, value: {{ quote .timeouts.repositoryInit }} }
- { name: RAMPART_COMPONENT_INSTALL_TIMEOUT, value: {{ quote .timeouts.install }} }
- { name: GLACIS_WORKERS, value: {{ quote .workers }} }
{{- end }}
{{- end -}}

{{- define "glacis.webhooksEnv" -}}
{{ include "glacis.clusterEnv" . }}
{{ include "glacis.peerEnv" (dict "root" . "of" (list "certificates")) }}
{{- end -}}

{{/* Given environment goes before ours, entry by entry; the order stays. Dict root, own, config. */}}
{{- define "glacis.env" -}}
{{- $all := concat (fromYamlArray .own) .root.Values.env .given -}}
{{- range $index, $entry := $all -}}
{{- $later := dict -}}
{{- range slice $all (add1 $index) }}{{ $_ := set $later .name true }}{{ end -}}
{{- if not (hasKey $later $entry.name) }}
{{- list $entry | toYaml | nindent 0 }}
{{- end -}}
{{- end -}}
{{- end -}}
