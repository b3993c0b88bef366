// A certificate for this machine that vouches for itself, with its key, made by openssl.

import { join } from 'node:path';
import { runCommand } from './command.mjs';

/** Files in the folder. @param {string} folder @param {string} [name] */
export async function makeCertificate(folder, name = 'tls') {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.cert`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert, '-days', '2'];
  const { code, stderr } = await runCommand(['openssl', 'req', '-x509', ...curve, ...files, ...names]);
  if (code !== 0) throw new Error(`openssl: ${stderr}`);
  return { key, cert };
}
