-- Who can join a company, what they are shown before, and what they agree to.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(34);
\ir support/cast.sql

-- Acme has asked Guest@acme.example, as an analyst. Nobody has shown that address to be theirs.

-- Invitations (policies invitation_managed for the server, invitation_bound for the owner's
-- functions, invitation_own for the view of what one can join).

select is(test.each('select from app.invitation where organization_id = test.acme()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An invitation is seen by those who may invite.');
select is(test.each('delete from app.invitation'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server takes back no invitation but through the function that records it.');
select is(test.each('select from app.invitation', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound company''s invitations and no others.');
select is(
  test.each($$ insert into app.invitation values (test.acme(), gen_random_uuid(), 'x@acme.example', 'member', now(), now()) $$,
    'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner invites into the bound company and no other.');
select is(test.each($$ select app.invite(test.acme(), gen_random_uuid(), 'x@acme.example', 'member', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'Somebody is invited by those who may.');
select is(test.each($$ select app.revoke_invitation(test.acme(), gen_random_uuid(), test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'And so is an invitation taken back.');

-- What one can join (policies domain_claim_own, invitation_own, organization_inviting).

select is(test.each('select from board.suggestion where organization_id = test.acme()'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A company is suggested to those with an address in its domain.');
select is(test.each('select from board.suggestion where organization_id = test.umbrella()'),
  'herself 0, colleague 0, friend 0, other company 1, stranger 0, unbound 42501',
  'And no company to anybody else.');
select is(test.each('select invitation_id from board.suggestion where invitation_id is not null'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An invitation is for the address, and not for its domain.');
set local role breathmaster_owner;
do $$ begin
  perform app.record_email(test.stranger(), 'guest@ACME.example');
  perform app.record_email(test.frank(), 'frank@acme.example');
end $$;
reset role;
select is(test.each('select from board.suggestion where organization_id = test.acme()'),
  'herself 1, colleague 1, friend 1, other company 0, stranger 1, unbound 42501',
  'It is suggested as soon as an address is shown to be theirs.');
select is(test.each('select from board.suggestion where role = ''analyst'''),
  'herself 0, colleague 0, friend 0, other company 0, stranger 1, unbound 42501',
  'The one who is invited sees as what, in whatever case the address is written.');
update app.domain_claim set proved_at = null where domain = 'acme.example';
select is(test.each('select from board.suggestion where organization_id = test.acme()'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 1, unbound 42501',
  'A domain that is not proved suggests nothing.');
update app.domain_claim set proved_at = now() where domain = 'acme.example';

-- What the company will see, before one joins.

call test.be(test.frank());
select results_eq(
  $$ select p ->> 'role', p -> 'adminsSee' ->> 'displayName', p -> 'boardEnabled', p -> 'colleaguesSee'
     from app.joining_preview(test.acme(), '2026-03-06 12:00Z') as p $$,
  $$ values ('member', 'Frank', 'true'::jsonb, 'null'::jsonb) $$,
  'Who shows a company nothing is told that it will see the name alone.');
update app.user set share_progress = true, company_board = true;
select is((select p -> 'colleaguesSee' ->> 'displayName' from app.joining_preview(test.acme(), '2026-03-06 12:00Z') as p), 'Frank',
  'Who shows more is told that.');
select throws_ok($$ select app.joining_preview(test.umbrella(), now()) $$, 'BM404', null, 'Where one cannot join, there is nothing to be seen.');

-- Joining by a domain.

do $$ begin perform set_config('test.agreed', test.agreed(test.acme()), true); end $$;
reset role;
update app.organization set show_real_names = true where organization_id = test.acme();
call test.be(test.frank());
update app.user set real_name = 'Frank Fir', show_real_name = true;
select throws_ok($$ select app.join_organization(test.acme(), current_setting('test.agreed'), test.origin()) $$, 'BM409',
  'agreed to something else', 'Nobody agrees to what has changed since.');
select throws_ok($$ select app.join_organization(test.acme(), null, test.origin()) $$, 'BM409', 'agreed to something else',
  'Nobody joins without agreeing.');
reset role;
update app.organization set automatic_joining = false where organization_id = test.acme();
call test.be(test.frank());
select throws_ok($$ select app.join_organization(test.acme(), 'x', test.origin()) $$, 'BM404', null,
  'Where the company lets in only those whom it invites, an address is not enough.');
reset role;
update app.organization set automatic_joining = true where organization_id = test.acme();
call test.be(test.frank());
select lives_ok($$ select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin()) $$, 'Who agrees joins.');
reset role;
select results_eq($$ select role, domain from app.member where uid = test.frank() $$, $$ values ('member', 'acme.example') $$,
  'The membership hangs on the domain.');

-- Joining by an invitation.

call test.be(test.stranger());
select throws_ok(
  $$ select app.join_organization(test.acme(), app.joining_agreement(test.acme(), '2026-03-06 12:00Z'),
    row(gen_random_uuid(), '', '2026-03-13 12:00Z')::app.origin) $$, 'BM409', null,
  'After seven days the invitation is over, and joining by the domain is something else.');
select lives_ok($$ select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin()) $$, 'Who is invited joins.');
reset role;
select results_eq($$ select role, domain from app.member where uid = test.stranger() $$, $$ values ('analyst', null::text) $$,
  'As what they were invited, and on no domain.');
select is_empty('select from app.invitation', 'An invitation is spent.');
select results_eq(
  $$ select action, after ->> 'role', split_part(after ->> 'by', ':', 1) from app.organization_event
     where organization_id = test.acme() order by number desc limit 2 $$,
  $$ values ('member.joined', 'analyst', 'invitation'), ('member.joined', 'member', 'domain') $$,
  'Both are in the record, with what let them in.');

-- Inviting.

call test.be(test.ada(), test.acme());
select throws_ok($$ select app.invite(test.acme(), gen_random_uuid(), 'x@elsewhere.example', 'member', test.origin()) $$,
  'BM422', 'outside of the proved domains', 'A company that says so invites into its domains alone.');
select throws_ok($$ select app.invite(test.acme(), gen_random_uuid(), 'x@acme.example', 'owner', test.origin()) $$,
  '23514', null, 'Nobody is invited to be an owner.');
select lives_ok($$ select app.invite(test.acme(), test.ada(), 'X@acme.example', 'member', test.origin()) $$, 'An address is invited.');
select lives_ok($$ select app.invite(test.acme(), test.ben(), 'x@acme.example', 'admin', test.origin()) $$, 'And again.');
select results_eq('select invitation_id, role from app.invitation', $$ values (test.ben(), 'admin') $$, 'The later one counts.');
reset role;
select results_eq($$ select kind, recipient, about from app.outbox where message_id = test.ben() $$,
  $$ values ('invitation', 'x@acme.example', 'Acme') $$, 'With it goes a mail, that names the company.');
call test.be(test.frank());
do $$ begin perform set_config('test.new', app.found_organization('New', test.origin())::text, true); end $$;
select throws_ok($$ select app.invite(test.known('new'), gen_random_uuid(), 'x@new.example', 'member', test.origin()) $$,
  'BM409', 'no domain is proved', 'Before it has proved a domain, a company invites nobody.');
reset role;
delete from app.user where uid = test.frank();
select is_empty('select from app.member where organization_id = test.known(''new'')', 'Who goes leaves their companies.');
call test.be(test.ben(), test.acme());
select throws_ok('select app.joining_agreement(test.umbrella(), now())', 'BM404', null, 'And companies tell nobody else.');

select * from finish();
rollback;
