package store_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"kith/internal/store"
)

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "kith.key")
	k, err := store.OpenKeyFile(path)
	must(t, err)
	again, err := store.OpenKeyFile(path)
	must(t, err)
	if k != again {
		t.Error("the second read gave another key")
	}
	text, err := os.ReadFile(path)
	must(t, err)
	if len(text) != 76 || !bytes.HasPrefix(text, []byte("kith key 1 ")) || text[75] != '\n' {
		t.Errorf("file: %q", text)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("folder: %v, %v", entries, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "cut": string(text[:40]), "long": string(text) + "\n",
		"upper case": strings.ToUpper(string(text)), "no digits": "kith key 1 " + strings.Repeat("x", 64) + "\n",
	} {
		must(t, os.WriteFile(path, []byte(bad), 0o600))
		if _, err := store.OpenKeyFile(path); !errors.Is(err, store.ErrKeyFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyFileSpelt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	digits := strings.Repeat("0123456789abcdef", 4)
	must(t, os.WriteFile(path, []byte("kith key 1 "+digits+"\n"), 0o600))
	a, err := store.OpenKeyFile(path)
	must(t, err)
	must(t, os.WriteFile(path, []byte("kith key 1 "+digits[1:]+"0\n"), 0o600))
	b, err := store.OpenKeyFile(path)
	must(t, err)
	if a == b {
		t.Error("two texts gave one key")
	}
}

func TestKeyFileOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
	path := filepath.Join(t.TempDir(), "k")
	_, err := store.OpenKeyFile(path)
	must(t, err)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o601} {
		must(t, os.Chmod(path, mode))
		_, err := store.OpenKeyFile(path)
		if !errors.Is(err, store.ErrPermissions) || !strings.Contains(err.Error(), "0600") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	must(t, os.Chmod(path, 0o400))
	_, err = store.OpenKeyFile(path)
	must(t, err)
	if _, err := store.OpenKeyFile(t.TempDir()); err == nil {
		t.Error("a folder passed for a key file")
	}
}

func TestNoNewKeyForAnOldDatabase(t *testing.T) {
	cfg := config(t)
	must(t, open(t, cfg).Close())
	dir := filepath.Dir(cfg.Path)
	if _, err := store.OpenKeyFile(filepath.Join(dir, "kith.key")); !errors.Is(err, store.ErrKeyMissing) {
		t.Errorf("key file: %v", err)
	}
	if _, err := store.OpenVault(dir, []byte("p")); !errors.Is(err, store.ErrKeyMissing) {
		t.Errorf("vault: %v", err)
	}
}

func TestKeyIsNeverPrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	k, err := store.OpenKeyFile(path)
	must(t, err)
	text, err := os.ReadFile(path)
	must(t, err)
	raw, err := hex.DecodeString(string(text[11:75]))
	must(t, err)
	var out bytes.Buffer
	cfg := store.Config{Path: "p", Key: k}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", k, "config", cfg)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", k, "config", cfg)
	p := store.Passphrase("correct horse")
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "passphrase", p)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b"} {
		fmt.Fprintf(&out, verb+verb+verb+verb+verb+"\n", k, &k, cfg, p, struct{ P store.Passphrase }{p})
	}
	for _, secret := range []string{"correct", hex.EncodeToString(p[:4]), strings.Trim(fmt.Sprint([]byte(p[:4])), "[]"), string(raw[:4]), hex.EncodeToString(raw[:4]), strings.Trim(fmt.Sprint(raw[:4]), "[]")} {
		if strings.Contains(strings.ToLower(out.String()), secret) {
			t.Fatalf("the key is printed: %s", out.String())
		}
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add([]byte("kith key 1 " + strings.Repeat("0f", 32) + "\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		if again, ok := store.ReformatKey(text); ok && !bytes.Equal(again, text) {
			t.Errorf("%q is read and written as %q", text, again)
		}
	})
}
