package mls_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"kith/internal/mls"
)

const suite = mls.SuiteX25519AES128SHA256Ed25519

// now is the time all tests happen at, in seconds since 1970.
const now = 1_800_000_000

// key signs for a test.
type key ed25519.PrivateKey

func (k key) PublicKey() ed25519.PublicKey  { return ed25519.PrivateKey(k).Public().(ed25519.PublicKey) }
func (k key) SignRaw(message []byte) []byte { return ed25519.Sign(ed25519.PrivateKey(k), message) }

// A device is one member of a test group, with its epoch and message keys.
type device struct {
	t      testing.TB
	name   string
	suite  mls.Suite
	key    mls.Signer
	params mls.KeyPackageParams // beyond what every device has
	pack   *mls.KeyPackage
	secret *mls.KeyPackageSecrets
	epoch  *mls.Epoch
	keys   *mls.Ratchets
}

func newDevice(t testing.TB, name string) *device {
	t.Helper()
	return newDeviceOf(t, suite, name)
}

func newDeviceOf(t testing.TB, s mls.Suite, name string) *device {
	t.Helper()
	d := &device{t: t, name: name, suite: s, key: newSigner(t, s)}
	d.renew()
	return d
}

func newSigner(t testing.TB, s mls.Suite) mls.Signer {
	t.Helper()
	if k, err := mls.NewECDSASigner(s); err == nil {
		return k
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key(private)
}

// renew makes a fresh key package.
func (d *device) renew() {
	d.t.Helper()
	var err error
	p := d.params
	p.Suite, p.Identity, p.NotBefore, p.NotAfter = d.suite, []byte(d.name), now-3600, now+3600
	d.pack, d.secret, err = mls.NewKeyPackage(d.key, p)
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) enter(e *mls.Epoch) {
	d.epoch, d.keys = e, e.Ratchets()
}

func (d *device) create(group string) {
	d.t.Helper()
	e, err := mls.Create(d.suite, []byte(group), d.pack, d.secret)
	if err != nil {
		d.t.Fatal(err)
	}
	d.enter(e)
}

func (d *device) commit(p mls.CommitParams) *mls.StagedCommit {
	d.t.Helper()
	p.Signer = d.key
	s, err := d.epoch.Commit(p)
	if err != nil {
		d.t.Fatalf("%s: commit: %v", d.name, err)
	}
	return s
}

// add makes and takes up a commit that adds others, and lets them join; those
// who are there process it.
func (d *device) add(there, others []*device) {
	d.t.Helper()
	var packs []*mls.KeyPackage
	for _, o := range others {
		packs = append(packs, o.pack)
	}
	s := d.commit(mls.CommitParams{Add: packs})
	d.take(s, there)
	welcome, err := s.Welcome(d.key, nil, true)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, o := range others {
		o.join(welcome, nil)
	}
}

// take goes on to the next epoch, and lets others process the commit from its bytes.
func (d *device) take(s *mls.StagedCommit, others []*device) {
	d.t.Helper()
	for _, o := range others {
		if o == d {
			continue
		}
		c, err := mls.ParseCommit(s.Commit.Bytes())
		if err != nil {
			d.t.Fatal(err)
		}
		next, _, err := o.epoch.Process(c)
		if err != nil {
			d.t.Fatalf("%s: process: %v", o.name, err)
		}
		o.enter(next)
	}
	d.enter(s.Next)
}

func (d *device) join(welcome, tree []byte) *mls.GroupInfo {
	d.t.Helper()
	e, info, err := mls.Join(welcome, d.pack, d.secret, tree)
	if err != nil {
		d.t.Fatalf("%s: join: %v", d.name, err)
	}
	d.enter(e)
	return info
}

func (d *device) encrypt(text string) []byte {
	d.t.Helper()
	b, err := d.epoch.Encrypt(d.keys, d.key, []byte("aad"), []byte(text), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// group makes a group of n devices, the first of which created it.
func group(t testing.TB, n int) []*device { return groupOf(t, suite, n) }

func groupOf(t testing.TB, s mls.Suite, n int) []*device {
	t.Helper()
	all := make([]*device, n)
	for i := range all {
		all[i] = newDeviceOf(t, s, string(rune('A'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
	}
	all[0].create("group")
	if n > 1 {
		all[0].add(nil, all[1:])
	}
	return all
}

// agree fails unless all devices are in the same epoch.
func agree(t testing.TB, all []*device) {
	t.Helper()
	want := string(all[0].epoch.EpochAuthenticator())
	for _, d := range all[1:] {
		if string(d.epoch.EpochAuthenticator()) != want {
			t.Fatalf("%s and %s disagree in epoch %d", d.name, all[0].name, d.epoch.Public().Epoch())
		}
	}
}
