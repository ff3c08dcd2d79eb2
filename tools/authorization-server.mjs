// An authorization server written by others (npm oidc-provider), as strict as they come: PKCE, exact redirect URIs, and with
// `once` refresh tokens that are good for one use, and a grant that ends when one is used twice.
//
//   node authorization-server.mjs FOLDER PORT REDIRECT_URI ACCESS_TOKEN_SECONDS once|often
//
// FOLDER is where it is installed. Anybody may sign in as anybody: that is what its development pages are for.

import { pathToFileURL } from 'node:url';

const [folder, port, redirectUri, seconds, uses] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'koine',
    client_secret: 'made-up-secret-of-the-app',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  pkce: { required: () => true },
  features: { revocation: { enabled: true }, clientCredentials: { enabled: true } },
  scopes: ['openid', 'offline_access'],
  rotateRefreshToken: uses === 'once',
  ttl: {
    AccessToken: Number(seconds),
    ClientCredentials: Number(seconds),
    AuthorizationCode: 60,
    RefreshToken: 3600,
    Grant: 3600,
    Session: 3600,
    Interaction: 600,
  },
  cookies: { keys: ['made-up'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

// What tokens are for: it tells whose they are, a person's or the client's own.
provider.use(async (context, next) => {
  if (context.path !== '/whoami') return next();
  const text = context.get('authorization').replace(/^Bearer /, '');
  const token = await provider.AccessToken.find(text) ?? await provider.ClientCredentials.find(text);
  context.status = token ? 200 : 401;
  context.body = token ? { sub: token.accountId ?? token.clientId } : { error: 'invalid_token' };
});
provider.listen(Number(port), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));
