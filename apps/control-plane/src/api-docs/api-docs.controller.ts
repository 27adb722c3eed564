import { Controller, Get, Header, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type ApiDocument, apiDocumentText } from './document.ts';
import { apiPage } from './page.ts';

/** The document of every service's routes: part of the installed version, so it is read and rendered once. */
@Controller('api')
export class ApiDocsController {
  private readonly text = apiDocumentText();
  private readonly page = apiPage(JSON.parse(this.text) as ApiDocument);

  @Get('openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('access-control-allow-origin', '*')
  document(): string {
    return this.text;
  }

  @Get('docs')
  docs(@Res() reply: FastifyReply): void {
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', this.page.policy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .send(this.page.html);
  }
}
