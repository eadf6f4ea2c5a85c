/** Repositories of charts (graph-apps.md 4.5). */
import { createHash } from 'node:crypto';
import { rampartView } from '../names.js';
import { strippedEnd } from '../text.js';

export type Repository = UrlRepository | SecretRepository;

/** `repo` of the component is the URL itself. */
export interface UrlRepository {
  kind: 'url';
  url: string;
  /** From the Secret that `chart.secret` names. */
  credentials?: { secret: string; username: string; password: string };
}

/** `repo` of the component is the name of a Secret. */
export interface SecretRepository {
  kind: 'secret';
  url: string;
  secret: string;
  /** Decoded data of the Secret: `url` and options of helm. */
  options: Record<string, string>;
}

/** Scheme and slashes, user info, host and port, the rest (RFC 3986 appendix B). */
const URL_PARTS = /^((?:[a-z][a-z0-9+.-]*:)?\/\/)((?:[^/?#]*@)?)([^/?#]*)(.*)$/is;

/** Whether `repo` of a chart is a URL; else it names a repository Secret. */
export function hasHost(repo: string): boolean {
  const parts = URL_PARTS.exec(repo);
  return parts !== null && `${parts[2]}${parts[3]}` !== '';
}

/** The same for the same repository with the same credentials: host without regard to case, end slash cut. */
export function repositoryIdentity(repository: Repository): string {
  const digest = createHash('sha1').update(normalised(repository.url)).digest('hex');
  if (repository.kind === 'secret') {
    return `${digest}_full-secret_${rampartView(repository.secret)}`;
  }
  const { credentials } = repository;
  return credentials ? `${digest}${rampartView(credentials.secret)}` : digest;
}

function normalised(url: string): string {
  const [, scheme = '', user = '', host = '', rest = ''] = URL_PARTS.exec(url) ?? [];
  const whole = scheme === '' ? url : `${scheme}${user}${host.toLowerCase()}${rest}`;
  return strippedEnd(whole, '/');
}
