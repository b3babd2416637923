package link

import (
	"context"
	"time"
)

// followNetwork calls look at once, and soon after the interfaces of this machine,
// or their addresses, may have changed, until ctx ends. Where the system does not
// tell it calls look every watchEvery.
func followNetwork(ctx context.Context, look func()) {
	every := watchEvery
	told := make(chan struct{}, 1)
	if ear, err := openNetworkEar(); err == nil {
		every = watchRarely
		ended := make(chan struct{})
		defer func() { ear.Close(); <-ended }()
		go func() {
			defer close(ended)
			for ear.Hear() == nil {
				select {
				case told <- struct{}{}:
				default:
				}
			}
		}()
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	settled := time.NewTimer(time.Hour)
	settled.Stop()
	for look(); ; {
		select {
		case <-told:
			settled.Reset(networkSettles)
		case <-settled.C:
			look()
		case <-tick.C:
			look()
		case <-ctx.Done():
			return
		}
	}
}
