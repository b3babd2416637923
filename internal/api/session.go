package api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

// sessions are the codes and tokens of the web side. Both are looked up by
// their hash: how long the search takes tells nothing of the secret. They live
// in memory alone, so that none outlives the program.
type sessions struct {
	now func() time.Time

	mu     sync.Mutex             // guards all below
	codes  map[[32]byte]time.Time // by hash; when each ends
	tokens map[[32]byte]time.Time // by hash; when each was used last
	wrong  []time.Time            // of the last maxWrong wrong codes
	tries  []time.Time            // of the last maxTries passphrases
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, codes: make(map[[32]byte]time.Time), tokens: make(map[[32]byte]time.Time)}
}

// newCode makes a login code of 128 bits.
func (s *sessions) newCode() string {
	code := secret(16)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for h, end := range s.codes {
		if !now.Before(end) {
			delete(s.codes, h)
		}
	}
	makeRoom(s.codes, maxCodes)
	s.codes[sha256.Sum256([]byte(code))] = now.Add(codeLife)
	return code
}

// login uses a code up and returns a token of 256 bits.
func (s *sessions) login(code string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	h := sha256.Sum256([]byte(code))
	end, known := s.codes[h]
	delete(s.codes, h)
	if !known || !now.Before(end) {
		return "", s.refuse(now)
	}
	return s.token(now), nil
}

// newToken begins a session of somebody who knows the passphrase.
func (s *sessions) newToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token(s.now())
}

// token makes one; mu is held.
func (s *sessions) token(now time.Time) string {
	token := secret(32)
	makeRoom(s.tokens, maxTokens)
	s.tokens[sha256.Sum256([]byte(token))] = now
	return token
}

// end ends all sessions, and what would begin one.
func (s *sessions) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.codes)
	clear(s.tokens)
}

// guess counts a passphrase that came from the web side, where anybody on this
// machine may try.
func (s *sessions) guess() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for len(s.tries) > 0 && now.Sub(s.tries[0]) >= wrongSpan {
		s.tries = s.tries[1:]
	}
	if len(s.tries) >= maxTries {
		return &Error{Reason: ReasonManyPassphrases}
	}
	s.tries = append(s.tries, now)
	return nil
}

// refuse counts a wrong code; mu is held.
func (s *sessions) refuse(now time.Time) error {
	for len(s.wrong) > 0 && now.Sub(s.wrong[0]) >= wrongSpan {
		s.wrong = s.wrong[1:]
	}
	if len(s.wrong) >= maxWrong {
		return &Error{Reason: ReasonManyCodes}
	}
	s.wrong = append(s.wrong, now)
	return &Error{Reason: ReasonCode}
}

// valid reports whether token is one of a session.
func (s *sessions) valid(token string) bool {
	h := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.tokens[h]
	if known {
		s.tokens[h] = s.now()
	}
	return known
}

// makeRoom drops the earliest of m until there is room for one more below limit.
func makeRoom(m map[[32]byte]time.Time, limit int) {
	for len(m) >= limit {
		var oldest [32]byte
		var at time.Time
		for h, t := range m {
			if at.IsZero() || t.Before(at) {
				oldest, at = h, t
			}
		}
		delete(m, oldest)
	}
}

func secret(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}
