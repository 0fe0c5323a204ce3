// What a phone of ours does to a request of any tus client: digest, checksum, signature (docs/protocol.md §5).
// A wrapping HTTP stack, since tus-js-client's `onBeforeRequest` does not see the body.

import { Buffer } from 'node:buffer'

const COVERED = [
  'content-digest', 'content-type', 'upload-offset', 'upload-length', 'upload-metadata', 'upload-checksum',
  'tus-resumable',
]

const base64 = (bytes) => Buffer.from(bytes).toString('base64')
const sha256 = async (bytes) => base64(await crypto.subtle.digest('SHA-256', bytes))

// `device`: jwk, keyId, authority, anchor; the anchor is replaced by that of every answer.
export class Signer {
  constructor(device) {
    this.device = device
    this.log = []
  }

  async sign(method, url, headers) {
    const { pathname, search } = new URL(url)
    const lines = [
      ['@method', method], ['@authority', this.device.authority], ['@path', pathname], ['@query', search || '?'],
      ...COVERED.filter((name) => name in headers).map((name) => [name, headers[name]]),
    ]
    const names = lines.map(([name]) => `"${name}"`).join(' ')
    const created = Math.floor(Date.now() / 1000)
    const parameters = `(${names});created=${created};keyid="${this.device.keyId}";alg="ecdsa-p256-sha256"` +
      `;nonce="${this.device.anchor}";tag="doorstep-phone-v1"`
    const base = [...lines, ['@signature-params', parameters]].map(([name, value]) => `"${name}": ${value}`).join('\n')
    this.key ??= await crypto.subtle.importKey(
      'jwk', this.device.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
    )
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.key, Buffer.from(base))
    return { 'Signature-Input': `doorstep=${parameters}`, Signature: `doorstep=:${base64(signature)}:` }
  }
}

class SignedRequest {
  constructor(inner, signer, wrongChecksum) {
    Object.assign(this, { inner, signer, wrongChecksum, headers: {} })
  }

  getMethod() { return this.inner.getMethod() }
  getURL() { return this.inner.getURL() }
  getHeader(name) { return this.inner.getHeader(name) }
  setProgressHandler(handler) { this.inner.setProgressHandler(handler) }
  abort() { return this.inner.abort() }
  getUnderlyingObject() { return this.inner.getUnderlyingObject() }

  setHeader(name, value) {
    this.headers[name.toLowerCase()] = value
    this.inner.setHeader(name, value)
  }

  async send(body = null) {
    if (body !== null) {
      this.setHeader('Content-Digest', `sha-256=:${await sha256(body)}:`)
      this.setHeader('Upload-Checksum', `sha256 ${await sha256(this.wrongChecksum ? Buffer.from('other') : body)}`)
    }
    const signed = await this.signer.sign(this.getMethod(), this.getURL(), this.headers)
    for (const [name, value] of Object.entries(signed)) this.inner.setHeader(name, value)
    const entry = { method: this.getMethod(), bytes: body?.length ?? 0 }
    this.signer.log.push(entry)
    const response = await this.inner.send(body)
    entry.status = response.getStatus()
    this.signer.device.anchor = response.getHeader('Doorstep-Anchor') ?? this.signer.device.anchor
    return response
  }
}

// An HTTP stack for tus-js-client around its own.
export class SigningStack {
  constructor(inner, signer, wrongChecksum = false) {
    Object.assign(this, { inner, signer, wrongChecksum })
  }

  getName() { return 'SigningStack' }

  createRequest(method, url) {
    return new SignedRequest(this.inner.createRequest(method, url), this.signer, this.wrongChecksum)
  }
}
