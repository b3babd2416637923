package link_test

import (
	"testing"

	"kith/internal/link"
)

// BenchmarkDirect carries frames of 64 KiB over loopback.
func BenchmarkDirect(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind, func(b *testing.B) {
			var ends [2]link.Link
			for i := range ends {
				l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
				if err != nil {
					b.Fatal(err)
				}
				defer l.Close()
				ends[i] = l
			}
			to := only{ends[1], map[string]string{"quic": "/quic-v1", "tcp": "/tcp/"}[kind]}.Address()
			from, err := ends[0].Dial(b.Context(), to)
			if err != nil {
				b.Fatal(err)
			}
			c, err := ends[1].Accept(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			frame := make([]byte, 64<<10)
			b.SetBytes(int64(len(frame)))
			go func() {
				for from.Write(b.Context(), frame) == nil {
				}
			}()
			for b.Loop() {
				if _, err := c.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			from.Close()
		})
	}
}
