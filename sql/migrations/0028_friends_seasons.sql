-- A closed week stays on the friends boards when its person clears their data, as it does
-- in the history of the other boards: what they reached in all time is only beside it.

set local role breathmaster_boards;
create or replace view board.friends with (security_barrier) as
select s.period, s.uid as entry_id, s.uid, s.uid = (select app.uid()) as is_mine, u.display_name, u.avatar_url,
  s.weekly_xp, s.last_session_at as weekly_xp_at, s.weekly_xp_before,
  case when s.streak_shown then s.weekly_streak end as weekly_streak,
  case when s.streak_shown then s.streak_at end as weekly_streak_at,
  case when s.streak_shown then s.weekly_streak_before end as weekly_streak_before,
  case when u.share_detailed_progress then t.total_sessions end as total_sessions,
  case when u.share_detailed_progress then t.last_session_at end as total_sessions_at,
  case when u.share_detailed_progress then t.favorite_patterns end as favorite_patterns,
  case when u.show_detailed_stats then t.total_xp end as total_xp,
  case when u.show_detailed_stats and s.streak_shown then t.longest_streak end as longest_streak
from app.standing s
  join app.user u on u.uid = s.uid
  left join app.standing t on t.uid = s.uid and t.period = 'all-time'
where (select app.uid()) is not null
  and s.uid not in (select b.uid from board.blocked b);
set local role breathmaster_owner;
