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

{{/* What stands in certificates. */}}
{{- define "glacis.certificateNames" -}}
{{- $routes := ternary .Values.gatewayApi.passthrough dict .Values.gatewayApi.enabled -}}
{{- $of := dict -}}
{{- range list "gateway" "backends" "certificates" -}}
{{- $_ := set $of . (include "glacis.serviceNames" (dict "root" $ "component" .) | fromYamlArray) -}}
{{- end -}}
- name: GLACIS_BACKENDS_PUBLIC_NAMES
  value: {{ concat .Values.backends.names (list $routes.managers $routes.agents) $of.backends | compact | join "," }}
- name: GLACIS_CERTS_EST_NAMES
  value: {{ concat .Values.certificates.names (list $routes.est) $of.certificates | compact | join "," }}
- { name: GLACIS_CERTS_GRPC_NAMES, value: "{{ join "," $of.certificates }}" }
- { name: GLACIS_GATEWAY_GRPC_NAMES, value: "{{ join "," $of.gateway }}" }
- { name: GLACIS_CERTS_RESERVED_NAMES, value: "{{ join "," (concat $of.gateway $of.backends $of.certificates) }}" }
- { name: GLACIS_CERTS_PUBLIC_URL, value: {{ include "glacis.publicUrl" . | quote }} }
{{- with include "glacis.statusUrl" . }}
- { name: GLACIS_CERTS_STATUS_URL, value: {{ quote . }} }
{{- end }}
- { name: GLACIS_CERTS_ALLOW_LOOPBACK, value: "false" }
{{- end -}}

{{/* The trial: every service in one process, its data on a volume. */}}
{{- define "glacis.suiteEnv" -}}
{{ include "glacis.commonEnv" . }}
{{ include "glacis.certificateNames" . }}
- { name: GLACIS_DATA_DIR, value: /var/lib/glacis }
{{- end -}}

{{/* Given environment goes before ours, entry by entry; the order stays. Dict root, own, config. */}}
{{- define "glacis.env" -}}
{{- $all := concat (fromYamlArray .own) .root.Values.env .given -}}
{{- range $index, $entry := $all -}}
{{- $later := dict -}}
{{- range slice $all (add1 $index) }}{{ $_ := set $later .name true }}{{ end -}}
{{- if not (hasKey $later $entry.name) }}
{{ list $entry | toYaml }}
{{- end -}}
{{- end -}}
{{- end -}}
