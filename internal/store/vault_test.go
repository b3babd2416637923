package store_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"kith/internal/store"
)

var (
	horse  = []byte("correct horse")
	staple = []byte("battery staple")
	river  = []byte("up the river")
)

// aHome makes a home with a vault and a database, and returns its folder and key.
func aHome(t *testing.T) (string, store.Key) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	k, err := store.OpenVault(dir, horse)
	must(t, err)
	must(t, open(t, store.Config{Path: filepath.Join(dir, store.FileName), Key: k}).Close())
	return dir, k
}

// opens checks that passphrase opens dir and gives k.
func opens(t *testing.T, dir string, passphrase []byte, k store.Key) {
	t.Helper()
	got, err := store.OpenVault(dir, passphrase)
	if err != nil || got != k {
		t.Errorf("%q opens with %v, the same key: %v", passphrase, err, got == k)
	}
}

// refuses checks that passphrase is said to be wrong, and no more than that.
func refuses(t *testing.T, dir string, passphrase []byte) {
	t.Helper()
	if _, err := store.OpenVault(dir, passphrase); !errors.Is(err, store.ErrWrongPassphrase) || errors.Is(err, store.ErrWiped) {
		t.Errorf("%q: %v", passphrase, err)
	}
}

func vaultText(t *testing.T, dir string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, store.VaultName))
	must(t, err)
	return text
}

// slots cuts the two slots, and the salt, out of the text of a vault.
func slots(t *testing.T, text []byte) (slots [2][]byte, salt []byte) {
	t.Helper()
	var v struct {
		Salt  []byte
		Slots [2][]byte
	}
	must(t, json.Unmarshal(text, &v))
	return v.Slots, v.Salt
}

func TestPassphrase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	k, err := store.OpenVault(dir, horse)
	must(t, err)
	opens(t, dir, horse, k)
	refuses(t, dir, []byte("correct horsf"))
	if _, err := store.OpenVault(dir, nil); !errors.Is(err, store.ErrNoPassphrase) {
		t.Errorf("no passphrase: %v", err)
	}
	if _, err := store.OpenVault(dir, make([]byte, 1<<20+1)); !errors.Is(err, store.ErrRange) {
		t.Errorf("a passphrase of more than 1 MiB: %v", err)
	}
	other, err := store.OpenVault(filepath.Join(t.TempDir(), "h"), horse)
	if err != nil || other == k {
		t.Errorf("two homes have one key (%v)", err)
	}
	path := filepath.Join(dir, store.VaultName)
	text := vaultText(t, dir)
	for name, c := range map[string]struct {
		old, new string
		want     error
	}{
		"newer version":     {`"version":2`, `"version":3`, store.ErrNewer},
		"version before":    {`"version":2`, `"version":1`, store.ErrKeyFile},
		"no version":        {`"version":2`, `"version":0`, store.ErrKeyFile},
		"another function":  {"argon2id", "argon2ix", store.ErrKeyFile},
		"no passes":         {`"time":3`, `"time":0`, store.ErrKeyFile},
		"endless passes":    {`"time":3`, `"time":99`, store.ErrKeyFile},
		"no threads":        {`"threads":4`, `"threads":0`, store.ErrKeyFile},
		"too little memory": {`"memory_kib":64`, `"memory_kib":63`, store.ErrKeyFile},
		"too much memory":   {`"memory_kib":64`, `"memory_kib":4194305`, store.ErrKeyFile},
		"fewer passes":      {`"time":3`, `"time":2`, store.ErrWrongPassphrase},
		"space":             {`"time":3`, `"time": 3`, store.ErrKeyFile},
		"unknown field":     {`{"version"`, `{"x":1,"version"`, store.ErrKeyFile},
		"a third slot":      {`"slots":["`, `"slots":["AAAA","`, store.ErrKeyFile},
		"cut":               {"}\n", "", store.ErrKeyFile},
	} {
		changed := bytes.Replace(text, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, text) {
			t.Fatalf("%s: nothing to replace in %s", name, text)
		}
		must(t, os.WriteFile(path, changed, 0o600))
		if _, err := store.OpenVault(dir, horse); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.WriteFile(path, text, 0o644))
	must(t, os.Chmod(path, 0o644))
	if _, err := store.OpenVault(dir, horse); runtime.GOOS != "windows" && !errors.Is(err, store.ErrPermissions) {
		t.Errorf("vault open to others: %v", err)
	}
}

// The key of the homes below, as its key file spells it.
var digits = strings.Repeat("0123456789abcdef", 4)

func digitsKey(t *testing.T) store.Key {
	t.Helper()
	path := filepath.Join(t.TempDir(), store.KeyName)
	must(t, os.WriteFile(path, []byte("kith key 1 "+digits+"\n"), 0o600))
	k, err := store.OpenKeyFile(path)
	must(t, err)
	return k
}

// TestVaultSpelt builds a vault by the table of docs/spec/store.md.
func TestVaultSpelt(t *testing.T) {
	const head = `{"version":2,"kdf":"argon2id","time":3,"memory_kib":64,"threads":4,"salt":"paWlpaWlpaWlpaWlpaWlpQ=="`
	seal := func(passphrase string, nonce byte, plain []byte) string {
		block, err := aes.NewCipher(argon2.IDKey([]byte(passphrase), bytes.Repeat([]byte{0xa5}, 16), 3, 64, 4, 32))
		must(t, err)
		gcm, err := cipher.NewGCM(block)
		must(t, err)
		n := bytes.Repeat([]byte{nonce}, 12)
		return base64.StdEncoding.EncodeToString(gcm.Seal(n, n, plain, []byte(head+"}\n")))
	}
	key := []byte{
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	}
	opening := seal("correct horse", 1, slices.Concat([]byte{1}, key, bytes.Repeat([]byte{7}, 32)))
	wiping := seal("battery staple", 2, slices.Concat([]byte{2}, make([]byte, 64)))
	for _, order := range [][2]string{{opening, wiping}, {wiping, opening}} {
		dir := t.TempDir()
		text := head + `,"slots":["` + order[0] + `","` + order[1] + `"]}` + "\n"
		must(t, os.WriteFile(filepath.Join(dir, store.VaultName), []byte(text), 0o600))
		opens(t, dir, horse, digitsKey(t))
		if again := vaultText(t, dir); string(again) != text {
			t.Errorf("opening has changed the vault: %s", again)
		}
		if _, err := store.OpenVault(dir, staple); !errors.Is(err, store.ErrWiped) {
			t.Errorf("the other slot: %v", err)
		}
	}
	if made, want := len(vaultText(t, func() string { dir, _ := aHome(t); return dir }())), len(head)+len(`,"slots":["","`)+len(`"]}`)+1+2*len(opening); made != want {
		t.Errorf("a new vault has %d bytes, want %d", made, want)
	}
}

// version1 is a vault that the program wrote before there were slots.
const version1 = `{"version":1,"kdf":"argon2id","time":3,"memory_kib":64,"threads":4,"salt":"paWlpaWlpaWlpaWlpaWlpQ==","nonce":"WlpaWlpaWlpaWlpa","wrapped":"a68yBp9twcM2z6uWIJ+TKJrzQa5wvHvOkxiIyH7WwboPiWT9eQy3NPvfcsaYt1gP"}` + "\n"

func TestVaultOfBefore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, store.VaultName)
	must(t, os.WriteFile(path, []byte(version1), 0o600))
	refuses(t, dir, staple)
	if string(vaultText(t, dir)) != version1 {
		t.Error("a wrong passphrase has changed the vault")
	}
	opens(t, dir, horse, digitsKey(t))
	if text := vaultText(t, dir); !bytes.HasPrefix(text, []byte(`{"version":2,`)) {
		t.Errorf("not taken over: %s", text)
	}
	opens(t, dir, horse, digitsKey(t))
	refuses(t, dir, staple)

	must(t, os.WriteFile(path, []byte(version1), 0o600))
	must(t, store.ChangePassphrase(dir, horse, staple))
	opens(t, dir, staple, digitsKey(t))
	refuses(t, dir, horse)
}

func TestChangePassphrase(t *testing.T) {
	dir, k := aHome(t)
	must(t, store.SetDuress(dir, horse, river))
	if err := store.ChangePassphrase(dir, staple, staple); !errors.Is(err, store.ErrWrongPassphrase) {
		t.Errorf("changed by a wrong passphrase: %v", err)
	}
	if err := store.ChangePassphrase(dir, horse, river); !errors.Is(err, store.ErrSamePassphrase) {
		t.Errorf("changed to the duress passphrase: %v", err)
	}
	if err := store.ChangePassphrase(dir, horse, nil); !errors.Is(err, store.ErrNoPassphrase) {
		t.Errorf("changed to none: %v", err)
	}
	opens(t, dir, horse, k)
	must(t, store.ChangePassphrase(dir, horse, staple))
	refuses(t, dir, horse)
	opens(t, dir, staple, k)
	if _, err := store.OpenVault(dir, river); !errors.Is(err, store.ErrWiped) {
		t.Errorf("the duress passphrase, after another change: %v", err)
	}
}

func TestDuress(t *testing.T) {
	dir, k := aHome(t)
	if err := store.SetDuress(dir, horse, horse); !errors.Is(err, store.ErrSamePassphrase) {
		t.Errorf("one passphrase for both: %v", err)
	}
	must(t, store.SetDuress(dir, horse, river))
	must(t, store.SetDuress(dir, horse, staple))
	refuses(t, dir, river) // no longer, and it never opened
	opens(t, dir, horse, k)
	before := vaultText(t, dir)
	path := filepath.Join(dir, store.FileName)
	for _, f := range []string{path + "-wal", path + "-shm", path + "-journal", path + "-room", filepath.Join(dir, ".new-123"), filepath.Join(dir, store.KeyName)} {
		must(t, os.WriteFile(f, []byte("left"), 0o600))
	}
	_, wrong := store.OpenVault(dir, []byte("nobody's"))
	_, err := store.OpenVault(dir, staple)
	if !errors.Is(err, store.ErrWiped) || err.Error() != wrong.Error() {
		t.Errorf("the duress passphrase says %v, a wrong one %v", err, wrong)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != store.VaultName {
		t.Errorf("left: %v, %v", left, err)
	}
	after := vaultText(t, dir)
	a, salt := slots(t, before)
	b, still := slots(t, after)
	if len(before) != len(after) || !bytes.Equal(salt, still) || bytes.Equal(a[0], b[0]) || bytes.Equal(a[1], b[1]) {
		t.Errorf("the vault before and after:\n%s%s", before, after)
	}
	for _, p := range [][]byte{horse, staple, river} {
		refuses(t, dir, p)
	}
}

// TestDuressAnywhere: whatever asks for the passphrase wipes.
func TestDuressAnywhere(t *testing.T) {
	for name, use := range map[string]func(dir string) error{
		"change":        func(dir string) error { return store.ChangePassphrase(dir, staple, river) },
		"duress":        func(dir string) error { return store.SetDuress(dir, staple, river) },
		"remove duress": func(dir string) error { return store.RemoveDuress(dir, staple) },
		"remove":        func(dir string) error { return store.RemovePassphrase(dir, staple) },
	} {
		dir, _ := aHome(t)
		must(t, store.SetDuress(dir, horse, staple))
		if err := use(dir); !errors.Is(err, store.ErrWiped) {
			t.Errorf("%s: %v", name, err)
		}
		refuses(t, dir, horse)
		if _, err := os.Stat(filepath.Join(dir, store.FileName)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the database: %v", name, err)
		}
	}
}

func TestRemoveDuress(t *testing.T) {
	dir, k := aHome(t)
	must(t, store.RemoveDuress(dir, horse)) // there is none, and nobody is told
	must(t, store.SetDuress(dir, horse, staple))
	must(t, store.RemoveDuress(dir, horse))
	refuses(t, dir, staple)
	opens(t, dir, horse, k)
}

// linked gives a file a second name, by which its old bytes are still seen.
func linked(t *testing.T, path string) string {
	t.Helper()
	second := filepath.Join(t.TempDir(), "second")
	must(t, os.Link(path, second))
	return second
}

func TestSetAndRemovePassphrase(t *testing.T) {
	dir := t.TempDir()
	if err := store.SetPassphrase(dir, horse); !errors.Is(err, store.ErrNoHome) {
		t.Errorf("nobody's home: %v", err)
	}
	path := filepath.Join(dir, store.KeyName)
	k, err := store.OpenKeyFile(path)
	must(t, err)
	must(t, open(t, store.Config{Path: filepath.Join(dir, store.FileName), Key: k}).Close())
	for name, err := range map[string]error{
		"change": store.ChangePassphrase(dir, horse, staple), "duress": store.SetDuress(dir, horse, staple), "remove": store.RemovePassphrase(dir, horse),
	} {
		if !errors.Is(err, store.ErrNoVault) {
			t.Errorf("%s without a passphrase: %v", name, err)
		}
	}
	text, err := os.ReadFile(path)
	must(t, err)
	old := linked(t, path)
	must(t, store.SetPassphrase(dir, horse))
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key file: %v", err)
	}
	if left, err := os.ReadFile(old); err != nil || len(left) != len(text) || bytes.Contains(left, text[11:43]) || bytes.Contains(left, text[43:75]) {
		t.Errorf("the key file was not overwritten: %q, %v", left, err)
	}
	opens(t, dir, horse, k)
	if err := store.SetPassphrase(dir, staple); !errors.Is(err, store.ErrVault) {
		t.Errorf("set twice: %v", err)
	}
	if err := store.RemovePassphrase(dir, staple); !errors.Is(err, store.ErrWrongPassphrase) {
		t.Errorf("removed by a wrong passphrase: %v", err)
	}
	vault := vaultText(t, dir)
	old = linked(t, filepath.Join(dir, store.VaultName))
	must(t, store.RemovePassphrase(dir, horse))
	if again, err := store.OpenKeyFile(path); err != nil || again != k {
		t.Errorf("the key file that is back: %v", err)
	}
	if has, err := store.HasVault(dir); has || err != nil {
		t.Errorf("the vault: %v, %v", has, err)
	}
	if left, err := os.ReadFile(old); err != nil || bytes.Contains(left, vault[:20]) {
		t.Errorf("the vault was not overwritten: %q, %v", left, err)
	}
}

// TestOldVaultOverwritten: an old passphrase has nothing left to open.
func TestOldVaultOverwritten(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows gives no file the name of one that is open, so the old one is only replaced")
	}
	dir, _ := aHome(t)
	text := vaultText(t, dir)
	old := linked(t, filepath.Join(dir, store.VaultName))
	must(t, store.ChangePassphrase(dir, horse, staple))
	if left, err := os.ReadFile(old); err != nil || len(left) != len(text) || bytes.Contains(left, text[:20]) {
		t.Errorf("the old vault: %q, %v", left, err)
	}
}

// TestWhatACrashLeaves: a key file and a vault around the same key.
func TestWhatACrashLeaves(t *testing.T) {
	dir, k := aHome(t)
	must(t, store.RemovePassphrase(dir, horse))
	path := filepath.Join(dir, store.KeyName)
	text, err := os.ReadFile(path)
	must(t, err)
	must(t, store.SetPassphrase(dir, horse))
	must(t, os.WriteFile(path, text, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, ".new-1"), text, 0o600))
	refuses(t, dir, staple)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a wrong passphrase has removed the key file: %v", err)
	}
	opens(t, dir, horse, k)
	for _, gone := range []string{path, filepath.Join(dir, ".new-1")} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	other := fmt.Appendf(nil, "kith key 1 %s\n", digits)
	must(t, os.WriteFile(path, other, 0o600))
	opens(t, dir, horse, k)
	if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, other) {
		t.Errorf("another key's file: %q, %v", left, err)
	}
}

func FuzzVault(f *testing.F) {
	f.Add([]byte(version1))
	slot := strings.Repeat("AAAA", 31)
	f.Add([]byte(`{"version":2,"kdf":"argon2id","time":3,"memory_kib":262144,"threads":4,` +
		`"salt":"AAAAAAAAAAAAAAAAAAAAAA==","slots":["` + slot + `","` + slot + `"]}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if again, ok := store.ReformatVault(text); ok && !bytes.Equal(again, text) {
			t.Errorf("%q is read and written as %q", text, again)
		}
	})
}
