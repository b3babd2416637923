package identity_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

func someDeviceLink() identity.DeviceLink {
	l := identity.DeviceLink{Peer: []byte{0, 36, 8, 1}, Hosts: []string{"/ip4/192.0.2.7/udp/4040/quic-v1", "/ip6/2001:db8::1/tcp/443"}, Expiry: 0x0102}
	for i := range l.Secret {
		l.Secret[i] = byte(i)
	}
	return l
}

// deviceLinkBytes spells someDeviceLink by hand, without its checksum.
func deviceLinkBytes() []byte {
	b := []byte{1}
	for i := range 32 {
		b = append(b, byte(i))
	}
	b = append(b, 0, 0, 0, 0, 0, 0, 1, 2)
	b = append(b, 4, 0, 36, 8, 1)
	b = append(b, 7+19)
	b = append(b, 2, 192, 0, 2, 7, 0x0f, 0xc8)
	b = append(b, 3, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x01, 0xbb)
	return b
}

func deviceLinkText(b []byte) string {
	sum := wire.Hash(wire.HashDeviceCheck, b)
	return "kithdevice:" + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(b), sum[:4]...))
}

func TestDeviceLinkBytes(t *testing.T) {
	text, err := someDeviceLink().Text()
	if err != nil || text != deviceLinkText(deviceLinkBytes()) {
		t.Fatalf("%s, %v; want %s", text, err, deviceLinkText(deviceLinkBytes()))
	}
	got, err := identity.ParseDeviceLink(" "+text[:30]+"\n"+text[30:], 0x0101)
	if err != nil || !reflect.DeepEqual(got, someDeviceLink()) {
		t.Fatalf("%#v, %v", got.Hosts, err)
	}
	if s := fmt.Sprintf("%v %+v %#v %x", got, got, got, got); strings.Contains(s, "192.0.2") || strings.Contains(s, "000102") {
		t.Errorf("printed: %s", s)
	}
	other := someDeviceLink()
	other.Secret[0]++
	if other.Tag() == got.Tag() {
		t.Error("two secrets have one tag")
	}
	box := got.Seal([]byte("hello"))
	if plain, err := got.Open(box); err != nil || string(plain) != "hello" {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := other.Open(box); !errors.Is(err, identity.ErrRequest) {
		t.Errorf("another link opens it: %v", err)
	}
	if _, err := (identity.ContactLink{Secret: got.Secret}).OpenRequest(box); !errors.Is(err, identity.ErrRequest) {
		t.Errorf("a contact link with its secret opens it: %v", err)
	}
	for n := range box {
		if _, err := got.Open(box[:n]); !errors.Is(err, identity.ErrRequest) {
			t.Fatalf("%d bytes of it: %v", n, err)
		}
	}
}

func TestDeviceLinkRefused(t *testing.T) {
	good := deviceLinkText(deviceLinkBytes())
	version := deviceLinkBytes()
	version[0] = 2
	noHost := append(deviceLinkBytes()[:46:46], 0)
	for _, c := range []struct {
		text string
		now  uint64
		want identity.Reason
	}{
		{"", 0, identity.ReasonDeviceText},
		{"kith:" + good[11:], 0, identity.ReasonDeviceText},
		{good[:len(good)-5], 0, identity.ReasonDeviceTypo},
		{good[:40] + "A" + good[41:], 0, identity.ReasonDeviceTypo},
		{good + "!", 0, identity.ReasonDeviceTypo},
		{deviceLinkText(version), 0, identity.ReasonDeviceVersion},
		{deviceLinkText(noHost), 0, identity.ReasonDeviceForm},
		{deviceLinkText(append(deviceLinkBytes(), 0)), 0, identity.ReasonDeviceForm},
		{good, 0x0102, identity.ReasonDeviceExpired},
		{strings.Repeat("k", 5000), 0, identity.ReasonDeviceForm},
	} {
		_, err := identity.ParseDeviceLink(c.text, c.now)
		if e, ok := errors.AsType[*identity.InputError](err); !ok || e.Reason != c.want {
			t.Errorf("%.50s: %v, want %s", c.text, err, c.want)
		}
	}
	for _, l := range []identity.DeviceLink{{}, {Peer: []byte{1}}, {Peer: []byte{1}, Hosts: []string{"/dns/a/tcp/1"}}, {Peer: make([]byte, 65), Hosts: someDeviceLink().Hosts}} {
		if text, err := l.Text(); err == nil {
			t.Errorf("made %s", text)
		}
	}
}

// TestDeviceLinkLongest: the longest link fits into what ParseDeviceLink takes.
func TestDeviceLinkLongest(t *testing.T) {
	l := identity.DeviceLink{Peer: bytes.Repeat([]byte{255}, identity.MaxPeer), Expiry: 1 << 40}
	for i := range identity.MaxLinkHosts {
		l.Hosts = append(l.Hosts, fmt.Sprintf("/ip6/2001:db8::%d/udp/65535/quic-v1", i+1))
	}
	text, err := l.Text()
	if err != nil || len(text) > identity.MaxLinkText {
		t.Fatalf("%d characters, %v", len(text), err)
	}
	if _, err := identity.ParseDeviceLink(text, 0); err != nil {
		t.Error(err)
	}
}

func FuzzParseDeviceLink(f *testing.F) {
	f.Add([]byte("kithdevice:AAAA"))
	f.Add(deviceLinkBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []string{string(b), deviceLinkText(b)} {
			l, err := identity.ParseDeviceLink(s, 0)
			if err != nil {
				if !errors.As(err, new(*identity.InputError)) {
					t.Fatalf("untyped refusal %v", err)
				}
				continue
			}
			again, err := l.Text()
			if err != nil || again != strings.Join(strings.Fields(s), "") {
				t.Fatalf("%q came back as %q, %v", s, again, err)
			}
		}
	})
}
