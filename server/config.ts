// Reads the environment once, through one zod schema; nothing else reads it. Refuses a bad variable by name.
import { z } from 'zod';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** host:port pairs, comma separated: "localhost:3001,127.0.0.1:3002". */
const hostList = z
  .string()
  .default('')
  .transform((value, check) => {
    const hosts = value
      .split(',')
      .map((host) => host.trim().toLowerCase())
      .filter(Boolean);
    for (const host of hosts) {
      if (!/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):\d{1,5}$/.test(host)) {
        check.addIssue({ code: 'custom', message: `"${host}" is not host:port` });
        return z.NEVER;
      }
    }
    return hosts;
  });

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const environment = z
  .object({
    HOST: z.string().min(1).default('127.0.0.1'),
    PORT: z.coerce.number().int().min(0).max(65535).default(3000),
    BASE_URL: z.string().optional(),
    DATA_DIR: z.string().min(1).default('./data'),
    MONGODB_URI: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'must start with mongodb://')
      .optional(),
    SESSION_SECRET: z.string().min(32, 'must have 32 characters or more').optional(),
    SMTP_URL: z
      .string()
      .regex(/^smtps?:\/\//, 'must start with smtp:// or smtps://')
      .optional(),
    MAIL_FROM: z.string().min(3).max(320).optional(),
    DEFAULT_LANGUAGE: z.enum(['fr', 'en']).default('fr'),
    BOOTSTRAP_FILE: z.string().min(1).optional(),
    FEDERATION_PRIVATE_HOSTS: hostList,
    TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
    LOG_LEVEL: z.enum(logLevels).default('info'),
    METRICS_TOKEN: z.string().min(16, 'must have 16 characters or more').optional(),
    BACKUP_KEEP_DAYS: z.coerce.number().int().min(0).max(3650).default(14),
  })
  .superRefine((values, check) => {
    if (values.SMTP_URL && !values.MAIL_FROM) {
      check.addIssue({ code: 'custom', path: ['MAIL_FROM'], message: 'is needed when SMTP_URL is set' });
    }
  });

export interface Config {
  host: string;
  port: number;
  /** Origin of every address that we mint; null: http://localhost:{the port that was bound}. */
  baseUrl: string | null;
  dataDir: string;
  mongodbUri: string | undefined;
  sessionSecret: string | undefined;
  smtpUrl: string | undefined;
  mailFrom: string | undefined;
  defaultLanguage: 'fr' | 'en';
  bootstrapFile: string | undefined;
  /** host:port pairs for which plain http and private addresses are allowed. For demo and tests only. */
  privateHosts: readonly string[];
  /** Number of reverse proxies whose X-Forwarded-* headers are believed. */
  trustProxy: number;
  logLevel: (typeof logLevels)[number];
  metricsToken: string | undefined;
  backupKeepDays: number;
}

/** Empty variables count as unset, so that a copied .env.example works as it is. Throws ConfigError naming each variable. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const known = Object.keys(environment.shape);
  const given = Object.fromEntries(known.flatMap((key) => (env[key] ? [[key, env[key]]] : [])));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  }
  const values = parsed.data;
  return {
    host: values.HOST,
    port: values.PORT,
    baseUrl: readBaseUrl(values.BASE_URL, values.FEDERATION_PRIVATE_HOSTS),
    dataDir: values.DATA_DIR,
    mongodbUri: values.MONGODB_URI,
    sessionSecret: values.SESSION_SECRET,
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM,
    defaultLanguage: values.DEFAULT_LANGUAGE,
    bootstrapFile: values.BOOTSTRAP_FILE,
    privateHosts: values.FEDERATION_PRIVATE_HOSTS,
    trustProxy: values.TRUST_PROXY,
    logLevel: values.LOG_LEVEL,
    metricsToken: values.METRICS_TOKEN,
    backupKeepDays: values.BACKUP_KEEP_DAYS,
  };
}

function readBaseUrl(value: string | undefined, privateHosts: readonly string[]): string | null {
  if (!value) return null;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash || url.pathname !== '/') {
    throw new ConfigError('BASE_URL: must be an origin such as https://chatiere.example, without a path');
  }
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (url.protocol === 'http:' && !loopback.test(url.hostname) && !privateHosts.includes(`${url.hostname}:${port}`)) {
    throw new ConfigError('BASE_URL: must be https (plain http is only for localhost)');
  }
  return url.origin;
}
