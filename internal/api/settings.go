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

func (s *service) SetSettings(ctx context.Context, r *v1.SetSettingsRequest) (*v1.Settings, error) {
	err := s.node.ChangeSettings(func(is *node.Settings) {
		if r.HideTyping != nil {
			is.HideTyping = *r.HideTyping
		}
		if r.TellRead != nil {
			is.TellRead = *r.TellRead
		}
	})
	if err != nil {
		return nil, asConnect(err)
	}
	return s.GetSettings(ctx, nil)
}

func (s *service) GetPageKey(context.Context, *v1.GetPageKeyRequest) (*v1.GetPageKeyResponse, error) {
	key, err := s.node.PageKey()
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.GetPageKeyResponse{Key: key}, nil
}
