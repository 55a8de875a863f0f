import { randomBytes } from 'node:crypto';
import type { Visitor } from './shopper.js';

/** A new customer; the random part keeps repeated demonstrations apart. */
export function newVisitor(name = 'Lucía Fernández', company = 'Panadería La Espiga'): Visitor {
  const tag = randomBytes(3).toString('hex');
  return {
    name,
    email: `lucia.${tag}@example.com`,
    password: `Clave-${randomBytes(9).toString('base64url')}`,
    company: `${company} ${tag}`,
    street: 'Calle Mayor 12',
    city: 'Zaragoza',
    zip: '50001',
    phone: '+34 976 000 000',
    country: 'ES',
  };
}
