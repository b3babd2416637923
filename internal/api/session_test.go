package api_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "kith/proto/kith/v1"
)

func TestLoginOnce(t *testing.T) {
	h := move(t, "Ann")
	code := h.code()
	if len(code) != 22 { // 128 bits in base64
		t.Errorf("code %q", code)
	}
	l, err := h.web("").Login(t.Context(), &v1.LoginRequest{Code: code})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := h.web(l.Token).GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil || n.Me.GetName() != "Ann" {
		t.Errorf("GetNode with the token: %v, %v", n, err)
	}
	_, err = h.web("").Login(t.Context(), &v1.LoginRequest{Code: code})
	wantReason(t, err, "api/code")
	if _, err := h.web(l.Token).GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil {
		t.Errorf("the session ended with another's wrong code: %v", err)
	}
}

func TestLoginExpires(t *testing.T) {
	h := move(t, "Ann")
	code := h.code()
	h.clock.Add(time.Minute.Milliseconds())
	_, err := h.web("").Login(t.Context(), &v1.LoginRequest{Code: code})
	wantReason(t, err, "api/code")
	if text := err.Error(); !strings.Contains(text, "kith open") {
		t.Errorf("%q does not say what to do", text)
	}

	late := h.code()
	h.clock.Add(time.Minute.Milliseconds() - 1)
	if _, err := h.web("").Login(t.Context(), &v1.LoginRequest{Code: late}); err != nil {
		t.Errorf("after 59,999 ms: %v", err)
	}
}

func TestTwoTabs(t *testing.T) {
	h := move(t, "Ann")
	one, tokenOne := h.login()
	two, tokenTwo := h.login()
	if tokenOne == tokenTwo {
		t.Error("two logins gave one token")
	}
	for _, c := range []struct {
		name string
		ask  func() error
	}{
		{"one", func() error { _, err := one.GetNode(t.Context(), &v1.GetNodeRequest{}); return err }},
		{"two", func() error { _, err := two.GetNode(t.Context(), &v1.GetNodeRequest{}); return err }},
	} {
		if err := c.ask(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A page that is logged in may log another in.
	l, err := one.NewLogin(t.Context(), &v1.NewLoginRequest{})
	if err != nil || !strings.HasPrefix(l.Ssh, "ssh -L ") {
		t.Errorf("NewLogin: %v, %v", l, err)
	}
}

func TestWrongCodes(t *testing.T) {
	h := move(t, "Ann")
	wrong := func() error {
		_, err := h.web("").Login(t.Context(), &v1.LoginRequest{Code: "AAAAAAAAAAAAAAAAAAAAAA"})
		return err
	}
	for range 10 {
		wantReason(t, wrong(), "api/code")
	}
	err := wrong()
	wantReason(t, err, "api/many-codes")
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("code %v", connect.CodeOf(err))
	}
	h.login() // the owner is not locked out by others' guesses
	h.clock.Add(time.Minute.Milliseconds())
	wantReason(t, wrong(), "api/code")
}

func TestSessionsBounded(t *testing.T) {
	h := move(t, "Ann")
	first, _ := h.login()
	h.clock.Add(1)
	second, _ := h.login()
	for range 63 {
		h.clock.Add(1)
		h.login()
		if _, err := second.GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := first.GetNode(t.Context(), &v1.GetNodeRequest{})
	wantReason(t, err, "api/token")
	if _, err := second.GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil {
		t.Errorf("a session in use gave way: %v", err)
	}
}

func TestCodesBounded(t *testing.T) {
	h := move(t, "Ann")
	oldest := h.code()
	for range 16 {
		h.clock.Add(1)
		h.code()
	}
	_, err := h.web("").Login(t.Context(), &v1.LoginRequest{Code: oldest})
	wantReason(t, err, "api/code")
}
