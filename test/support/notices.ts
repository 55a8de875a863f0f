import type { NoticeValues } from '../../src/odoo/mail.js';

/** All that a notice can tell. Each date is late in the evening of UTC: the next day in Madrid. */
export const noticeValues: NoticeValues = {
  contactName: 'María José',
  instanceName: 'La Espiga',
  url: 'https://espiga.example.com',
  login: 'maria@espiga.example',
  password: 'Kx7<&"=9',
  planName: 'Pro',
  paidUntil: new Date('2026-11-22T23:30:00Z'),
  timeZone: 'Europe/Madrid',
  companyName: 'Nube, S.L.',
  trial: false,
  payUrl: 'https://shop.example.com/pay?a=1&b=2',
  amount: '14,52 €',
  daysLeft: 3,
  deleteOn: new Date('2026-12-22T23:30:00Z'),
  exportKeptUntil: new Date('2027-01-21T23:30:00Z'),
  previousPlanName: 'Básico',
  wantedPlanName: 'Mini',
  reason: { es: 'Tiene 5 usuarios y el plan incluye 3.', en: 'It has 5 users and the plan includes 3.' },
  suspendReason: 'unpaid',
  storageUsed: '2,4 GB',
  storageLimit: '2 GB',
  graceUntil: new Date('2026-11-29T23:30:00Z'),
  shopUrl: 'https://shop.example.com/shop',
};
