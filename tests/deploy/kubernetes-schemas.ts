// The fields of Kubernetes's and KEDA's objects that the manifests use, by hand, from their references; any other field
// is an error, so that a misspelt one is found. They say less than the whole schemas of a cluster would.
const text = { type: 'string', minLength: 1 };
const name = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' };
const count = { type: 'integer', minimum: 0 };
const texts = { type: 'array', items: text, minItems: 1 };
const words = { type: 'object', additionalProperties: text };
const quantity = { type: 'string', pattern: '^[0-9.]+(m|[KMGTPE]i?)?$' };

function object(properties: object, required: readonly string[] = Object.keys(properties)) {
  return { type: 'object', properties, required, additionalProperties: false };
}
const optional = (properties: object) => object(properties, []);
const list = (items: object) => ({ type: 'array', items, minItems: 1 });

const metadata = {
  ...optional({
    name,
    generateName: { type: 'string', pattern: '^[a-z0-9-]+-$' },
    namespace: name,
    labels: words,
  }),
  oneOf: [{ required: ['name'] }, { required: ['generateName'] }],
};
const labelSelector = object({ matchLabels: words });
const resources = optional({
  requests: optional({ cpu: quantity, memory: quantity, storage: quantity }),
  limits: optional({ cpu: quantity, memory: quantity }),
});
const claim = object({
  accessModes: list({ enum: ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany', 'ReadWriteOncePod'] }),
  resources: object({ requests: object({ storage: quantity }) }),
});

// What the namespace's level of pod security, `restricted`, wants is required here, too.
const container = object(
  {
    name,
    image: text,
    command: texts,
    args: texts,
    env: list({
      ...object(
        {
          name: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$' },
          value: { type: 'string' },
          valueFrom: object({ secretKeyRef: object({ name, key: text }) }),
        },
        ['name'],
      ),
      oneOf: [{ required: ['value'] }, { required: ['valueFrom'] }],
    }),
    ports: list(object({ name, containerPort: count })),
    readinessProbe: object({ exec: object({ command: texts }), periodSeconds: count }),
    resources,
    securityContext: object({
      allowPrivilegeEscalation: { const: false },
      readOnlyRootFilesystem: { const: true },
      capabilities: object({ drop: { const: ['ALL'] } }),
    }),
    volumeMounts: list(object({ name, mountPath: { type: 'string', pattern: '^/' } })),
  },
  ['name', 'image', 'resources', 'securityContext'],
);
const pod = (restartPolicies: readonly string[]) =>
  object({
    metadata: object({ labels: words }),
    spec: object(
      {
        automountServiceAccountToken: { const: false },
        terminationGracePeriodSeconds: count,
        restartPolicy: { enum: restartPolicies },
        securityContext: object(
          {
            runAsNonRoot: { const: true },
            runAsUser: { type: 'integer', minimum: 1 },
            runAsGroup: count,
            fsGroup: count,
            fsGroupChangePolicy: { enum: ['Always', 'OnRootMismatch'] },
            seccompProfile: object({ type: { const: 'RuntimeDefault' } }),
          },
          ['runAsNonRoot', 'runAsUser', 'seccompProfile'],
        ),
        containers: list(container),
        volumes: list({
          ...object({ name, persistentVolumeClaim: object({ claimName: name }), emptyDir: optional({}) }, [
            'name',
          ]),
          oneOf: [{ required: ['persistentVolumeClaim'] }, { required: ['emptyDir'] }],
        }),
      },
      ['securityContext', 'containers'],
    ),
  });

const port = object({ protocol: { enum: ['TCP', 'UDP', 'SCTP'] }, port: count });
const peers = list(optional({ podSelector: labelSelector, namespaceSelector: labelSelector }));

function kind(apiVersion: string, kindName: string, rest: object, required = Object.keys(rest)) {
  const properties = { apiVersion: { const: apiVersion }, kind: { const: kindName }, metadata, ...rest };
  return object(properties, ['apiVersion', 'kind', 'metadata', ...required]);
}

/** By kind. */
export const SCHEMAS: Record<string, object> = {
  Kustomization: object({
    apiVersion: { const: 'kustomize.config.k8s.io/v1beta1' },
    kind: { const: 'Kustomization' },
    namespace: name,
    resources: texts,
  }),
  Namespace: kind('v1', 'Namespace', {}),
  Service: kind('v1', 'Service', {
    spec: object({ selector: words, ports: list(object({ name, port: count, targetPort: name })) }),
  }),
  PersistentVolumeClaim: kind('v1', 'PersistentVolumeClaim', { spec: claim }),
  StatefulSet: kind('apps/v1', 'StatefulSet', {
    spec: object({
      serviceName: name,
      replicas: count,
      selector: labelSelector,
      template: pod(['Always']),
      volumeClaimTemplates: list(object({ metadata, spec: claim })),
    }),
  }),
  Deployment: kind('apps/v1', 'Deployment', {
    spec: object({ selector: labelSelector, template: pod(['Always']) }),
  }),
  Job: kind('batch/v1', 'Job', {
    spec: object({ backoffLimit: count, template: pod(['OnFailure', 'Never']) }),
  }),
  NetworkPolicy: kind('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: object(
      {
        podSelector: labelSelector,
        policyTypes: list({ enum: ['Ingress', 'Egress'] }),
        ingress: list(object({ from: peers, ports: list(port) })),
        egress: list(object({ to: peers, ports: list(port) })),
      },
      ['podSelector', 'policyTypes'],
    ),
  }),
  TriggerAuthentication: kind('keda.sh/v1alpha1', 'TriggerAuthentication', {
    spec: object({ secretTargetRef: list(object({ parameter: text, name, key: text })) }),
  }),
  ScaledObject: kind('keda.sh/v1alpha1', 'ScaledObject', {
    spec: object({
      scaleTargetRef: object({ name }),
      minReplicaCount: count,
      maxReplicaCount: count,
      pollingInterval: count,
      cooldownPeriod: count,
      triggers: list(
        object({
          type: { const: 'redis' },
          // The values of a trigger are texts, numbers among them.
          metadata: object({
            address: { type: 'string', pattern: ':\\d+$' },
            listName: text,
            listLength: { type: 'string', pattern: '^[1-9]\\d*$' },
          }),
          authenticationRef: object({ name }),
        }),
      ),
    }),
  }),
};
