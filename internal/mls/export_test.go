package mls

// SecretsOf names the secrets of an epoch, for tests that look for them.
func SecretsOf(e *Epoch) map[string][]byte {
	s := e.secrets
	out := map[string][]byte{
		"sender_data": s.senderData, "exporter": s.exporter, "external": s.external, "confirmation": s.confirmation,
		"membership": s.membership, "resumption": s.resumption, "authenticator": s.authenticator, "init": s.init,
		"leaf": e.private[0].private,
	}
	return out
}
