import { Operation } from '@glacis/http';
import { Controller, Get, Header } from '@nestjs/common';
import { html, page } from '../html.js';

const home = page(
  'Glacis',
  html`<p>
      A control plane for confidential computing: enrols hosts that run trusted execution
      environments, issues their certificates and cuts them off again. This is its REST door; call
      it with a bearer token, or use <code>npx glacis</code>.
    </p>
    <ul>
      <li><a href="/openapi.json">Every route, as OpenAPI</a></li>
      <li><a href="/problems">Every error, and what to do about it</a></li>
      <li><a href="/health/ready">Readiness</a> and <a href="/metrics">metrics</a></li>
      <li><a href="/.well-known/jwks.json">Keys of the token issuer</a></li>
    </ul>`,
);

const reply = { type: 'text/html', description: 'A page' };

@Controller()
export class HomeController {
  @Get(['/', 'ui'])
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Operation({ access: 'public', summary: 'What this is, with links', reply })
  home(): string {
    return home;
  }
}
