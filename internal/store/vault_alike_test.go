package store_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/internal/store"
)

// TestVaultsLookAlike: copies of the file, before and after whatever was done,
// have the same form, and show the same changes.
func TestVaultsLookAlike(t *testing.T) {
	dir, _ := aHome(t)
	text := vaultText(t, dir)
	old, salt := slots(t, text)
	for i, do := range []func() error{
		func() error { return store.RemoveDuress(dir, horse) },
		func() error { return store.ChangePassphrase(dir, horse, staple) },
		func() error { return store.SetDuress(dir, staple, river) },
		func() error { return store.ChangePassphrase(dir, staple, horse) },
		func() error { return store.RemoveDuress(dir, horse) },
	} {
		must(t, do())
		now := vaultText(t, dir)
		next, same := slots(t, now)
		if len(now) != len(text) || !bytes.Equal(salt, same) {
			t.Errorf("step %d:\n%s%s", i, text, now)
		}
		for _, a := range old {
			for _, b := range next {
				if bytes.Equal(a[:12], b[:12]) || bytes.Equal(a[12:], b[12:]) {
					t.Errorf("step %d: a slot is as it was", i)
				}
			}
		}
		old = next
	}
}

// TestSlotsAreDrawn: which slot opens is chance.
func TestSlotsAreDrawn(t *testing.T) {
	dir, _ := aHome(t)
	first := 0
	const times = 64 // all the same once in 2^63
	for range times {
		must(t, store.RemoveDuress(dir, horse))
		text := vaultText(t, dir)
		s, _ := slots(t, text)
		copied := t.TempDir()
		noise := base64.StdEncoding.EncodeToString(make([]byte, len(s[1])))
		spoilt := strings.Replace(string(text), base64.StdEncoding.EncodeToString(s[1]), noise, 1)
		must(t, os.WriteFile(filepath.Join(copied, store.VaultName), []byte(spoilt), 0o600))
		if _, err := store.OpenVault(copied, horse); err == nil {
			first++
		}
	}
	if first == 0 || first == times {
		t.Errorf("the first slot opens %d times of %d", first, times)
	}
}
