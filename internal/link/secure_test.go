package link_test

import (
	"crypto/x509"
	"testing"
	"time"

	"kith/internal/link"
)

// Each side refuses a certificate that its own clock takes for one of another time. So ours is good
// whatever that clock says, and does not tell when the program was started.
func TestAnyClock(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			l := newDirect(t, link.DirectConfig{})
			cert := dialRaw(t, l.Address(), kind).state.PeerCertificates[0]
			roots := x509.NewCertPool()
			roots.AddCert(cert)
			for _, year := range []int{1971, 2000, time.Now().Year() - 1, time.Now().Year(), 2100, 2500} {
				when := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
				if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: when}); err != nil {
					t.Errorf("a device that believes it is %d refuses the certificate: %v", year, err)
				}
			}
		})
	}
}
