import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, throwError, type Observable } from 'rxjs';
import { inWords } from './problems.js';

/** Errors of the routes, those of their pipes included, in the words of `graph-apps.md` 6.1. */
export class StateWords implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => inWords(error))));
  }
}
