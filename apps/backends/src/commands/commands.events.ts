import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Commands } from './commands.service.js';

@Controller()
export class CommandsEvents {
  constructor(@Inject(Commands) private readonly commands: Commands) {}

  @OnBroadcast('backends', 'backend.command.asked')
  async asked(@Payload() { data }: CloudEvent<'backend.command.asked'>): Promise<void> {
    await this.commands.take(data.command_id, data.backend_id);
  }

  @OnBroadcast('backends', 'backend.command.answered')
  answered(): void {
    this.commands.ring();
  }
}
