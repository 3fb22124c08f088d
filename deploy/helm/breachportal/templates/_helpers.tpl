{{- define "breachportal.labels" -}}
app.kubernetes.io/name: breachportal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The labels of the pods of one process: (list $ "web") */}}
{{- define "breachportal.selector" -}}
app.kubernetes.io/name: breachportal
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "breachportal.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "breachportal.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "breachportal.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The environment of a process. (list $ "owner") takes DATABASE_URL from that other Secret. */}}
{{- define "breachportal.environment" -}}
{{- $root := index . 0 -}}
{{- $database := index . 1 -}}
envFrom:
  - configMapRef:
      name: {{ $root.Release.Name }}-settings
env:
  {{- range $root.Values.secrets.keys }}
  - name: {{ . }}_FILE
    value: /run/secrets/{{ if and $database (eq . "DATABASE_URL") }}{{ $database }}{{ else }}portal{{ end }}/{{ . }}
  {{- end }}
{{- end }}

{{- define "breachportal.mounts" -}}
volumeMounts:
  - {name: portal, mountPath: /run/secrets/portal, readOnly: true}
  {{- if index . 1 }}
  - {name: {{ index . 1 }}, mountPath: /run/secrets/{{ index . 1 }}, readOnly: true}
  {{- end }}
  - {name: var, mountPath: /var/lib/breachportal}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "breachportal.volumes" -}}
{{- $root := index . 0 -}}
{{- $database := index . 1 -}}
volumes:
  - name: portal
    secret:
      secretName: {{ $root.Values.secrets.portal }}
      defaultMode: 0400
      items:
        {{- range $root.Values.secrets.keys }}
        {{- if not (and $database (eq . "DATABASE_URL")) }}
        - {key: {{ . }}, path: {{ . }}}
        {{- end }}
        {{- end }}
  {{- if $database }}
  - name: {{ $database }}
    secret:
      secretName: {{ index $root.Values.secrets $database }}
      defaultMode: 0400
      items:
        - {key: DATABASE_URL, path: DATABASE_URL}
  {{- end }}
  - name: var
    emptyDir: {sizeLimit: {{ $root.Values.var.size }}}
  - name: tmp
    emptyDir: {medium: Memory, sizeLimit: 256Mi}
{{- end }}

{{- define "breachportal.placement" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
