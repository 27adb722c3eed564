import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, Scopes } from '@tocsin/nest-shell';
import type { ControlPlaneEnvironment } from './config.ts';
import { CONTROL_PLANE_CONFIG } from './tokens.ts';

/** Where deliveries come from, for the firewalls of those who receive them. */
@Controller('api/v1/egress')
@UseGuards(ApiKeyGuard)
export class EgressController {
  constructor(@Inject(CONTROL_PLANE_CONFIG) private readonly config: ControlPlaneEnvironment) {}

  @Get()
  @Scopes('read')
  read() {
    const addresses = this.config.OUTBOUND_EGRESS_IPS.split(',').map((one) => one.trim());
    return { addresses: addresses.filter((one) => one !== '') };
  }
}
