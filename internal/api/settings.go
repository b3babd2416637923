package api

import (
	"context"

	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

func (s *service) GetSettings(context.Context, *v1.GetSettingsRequest) (*v1.Settings, error) {
	is, err := s.node.Settings()
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.Settings{HideTyping: is.HideTyping, TellRead: is.TellRead}, nil
}

func (s *service) SetSettings(ctx context.Context, r *v1.Settings) (*v1.Settings, error) {
	if err := s.node.SetSettings(node.Settings{HideTyping: r.HideTyping, TellRead: r.TellRead}); err != nil {
		return nil, asConnect(err)
	}
	return s.GetSettings(ctx, nil)
}
