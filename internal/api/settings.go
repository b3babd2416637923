package api

import (
	"context"
	"slices"

	"kith/internal/node"
	"kith/internal/store"
	v1 "kith/proto/kith/v1"
)

func (s *service) GetSettings(context.Context, *v1.GetSettingsRequest) (*v1.Settings, error) {
	is, err := s.node.Settings()
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.Settings{HideTyping: is.HideTyping, TellRead: is.TellRead, LockAfter: is.LockAfter}, nil
}

func (s *service) SetSettings(ctx context.Context, r *v1.SetSettingsRequest) (*v1.Settings, error) {
	if err := s.mayLockAfter(r.LockAfter); err != nil {
		return nil, asConnect(err)
	}
	err := s.node.ChangeSettings(func(is *node.Settings) {
		if r.LockAfter != nil {
			is.LockAfter = *r.LockAfter
		}
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
	if r.LockAfter != nil {
		s.idle.after(*r.LockAfter)
	}
	return s.GetSettings(ctx, nil)
}

// mayLockAfter refuses minutes that cannot be chosen, and those of a home without
// passphrase, which nothing would open again.
func (s *service) mayLockAfter(minutes *uint32) error {
	if minutes == nil || *minutes == 0 {
		return nil
	}
	if !slices.Contains([]uint32{5, 15, 60}, *minutes) {
		return &Error{Reason: ReasonMinutes}
	}
	if s.cfg.Open == nil {
		return &Error{Reason: ReasonNoLock}
	}
	locks, err := s.locks()
	if err == nil && !locks {
		err = store.ErrNoVault
	}
	return err
}

func (s *service) GetPageKey(context.Context, *v1.GetPageKeyRequest) (*v1.GetPageKeyResponse, error) {
	key, err := s.node.PageKey()
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.GetPageKeyResponse{Key: key}, nil
}
