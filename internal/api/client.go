package api

import (
	"context"
	"net"
	"net/http"

	"connectrpc.com/connect"

	"kith/proto/kith/v1/kithv1connect"
)

// NewClient makes the calls of the node that runs on a home, over its socket.
func NewClient(home string) kithv1connect.KithServiceClient {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialSocket(ctx, home)
		},
		DisableCompression: true,
	}
	return kithv1connect.NewKithServiceClient(&http.Client{Transport: transport}, "http://kith", connect.WithAcceptCompression("gzip", nil, nil))
}
