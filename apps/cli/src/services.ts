import type { Client } from './client.js';

/** The services that the server runs, or the one that was named. */
export async function servicesOf(client: Client, named?: string): Promise<string[]> {
  if (named) return [named];
  const { services } = await client.get<{ services: { name: string }[] }>('/services');
  return services.map(({ name }) => name);
}
