{{- define "profuse.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "profuse.secret" -}}
{{- .Values.secrets.existing | default (include "profuse.fullname" .) -}}
{{- end -}}

{{- define "profuse.prefix" -}}
{{- .Values.settings.prefix | default "profuse" -}}
{{- end -}}

{{/* Of a list of the context and a room's name. */}}
{{- define "profuse.chosen" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ $.Chart.Name }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "profuse.labels" -}}
{{- $ := index . 0 -}}
{{ include "profuse.chosen" . }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version }}
{{- end -}}

{{/* The settings of all rooms, and of one, whose own count; of a list of the context and the latter. A list is written as JSON. */}}
{{- define "profuse.environment" -}}
{{- $settings := dict -}}
{{/* Not by `merge`, for which false and 0 are as good as nothing. */}}
{{- range $name, $value := (index . 0).Values.settings }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- range $name, $value := index . 1 }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- range $name, $value := $settings }}
- name: PROFUSE_{{ upper $name }}
  value: {{ include "profuse.written" $value }}
{{- end }}
{{- end -}}

{{/* Every number of a values file is a float64, and a large whole one would be written like 1e+09. */}}
{{- define "profuse.written" -}}
{{- $whole := false }}{{ if kindIs "float64" . }}{{ $whole = eq (floor .) . }}{{ end -}}
{{- if kindIs "slice" . }}{{ toJson . | quote }}{{ else if $whole }}{{ int64 . | quote }}{{ else }}{{ quote . }}{{ end -}}
{{- end -}}

{{/* What every pod of the image has. */}}
{{- define "profuse.pod" -}}
automountServiceAccountToken: false
# The cluster would set PROFUSE_PORT, and more that look like settings, for a Service that is called profuse.
enableServiceLinks: false
# Python as process 1 would ignore a SIGTERM that comes while it still imports; so the sandbox's own process is number 1.
shareProcessNamespace: true
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.files }}
volumes:
  - name: files
    secret: {secretName: {{ . }}}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What every container of the image has; of a list of the context, a room's own settings and its own tag. */}}
{{- define "profuse.container" -}}
{{- $ := index . 0 -}}
image: "{{ $.Values.image.repository }}:{{ index . 2 | default $.Values.image.tag | default $.Chart.AppVersion }}"
imagePullPolicy: {{ $.Values.image.pullPolicy }}
env: {{- include "profuse.environment" . | nindent 2 }}
envFrom:
  - secretRef: {name: {{ include "profuse.secret" $ }}}
{{- if $.Values.files }}
volumeMounts:
  - {name: files, mountPath: /etc/profuse, readOnly: true}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}
