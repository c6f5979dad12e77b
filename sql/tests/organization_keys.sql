-- Keys of a company: who makes and sees them, what they open, and that they open nobody.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(36);
\ir support/cast.sql

-- Who manages the company sees its keys (policy organization_key_managed). Ada owns Acme, Ben
-- is a member there.

select is(test.each('select key_id, name, scopes from app.organization_key where organization_id = test.acme()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s keys are seen by those who manage it, and by no other member.');
select is(test.each('select app.revoke_organization_key(test.acme(), test.acme(), test.origin())'),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A company''s keys are revoked by those who manage it.');
select is(test.each('delete from app.organization_key where organization_id = test.acme()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'And through the function that records it.');
select is(test.each('select from app.organization_key', 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner sees no key without one that is bound (policy organization_key_bound).');
select is(
  test.each($$ select app.add_organization_key(test.acme(), gen_random_uuid(), sha256('another'), 'Another', array['scim'], '{}',
    null, test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A company''s keys are made by those who manage it.');

create procedure test.add_key(name text, until timestamptz, sources text[] default '{}') language sql as $$
  select app.add_organization_key(test.acme(), gen_random_uuid(), sha256('another'), name, array['scim'], sources,
    until, test.origin())
$$;
call test.be(test.ada(), test.acme());
select throws_ok('select hash from app.organization_key', '42501', 'permission denied for table organization_key',
  'The server cannot read what a key is recognised by.');
select throws_ok($$ update app.organization_key set scopes = array['everything'] $$, '42501',
  'permission denied for table organization_key', 'A key can do no more than it was made for.');
select throws_ok($$ insert into app.organization_key (organization_id) values (test.acme()) $$, '42501',
  'permission denied for table organization_key', 'The server makes no key but by the function that counts them.');
select throws_ok('select app.key_organization_id()', '42501', 'no organization''s key is bound to this transaction',
  'Who owns the company has not come by a key of it.');

select throws_ok($$ call test.add_key('Yesterday''s', '2026-03-06Z') $$, '23514',
  'new row for relation "organization_key" violates check constraint "organization_key_expiry_invalid"',
  'A key that is over when it is made is refused.');
select throws_ok($$ call test.add_key('', null) $$, '23514',
  'new row for relation "organization_key" violates check constraint "organization_key_name_invalid"',
  'A key without a name is refused.');
select throws_ok($$ call test.add_key('From nowhere', null, array['nowhere']) $$, '22P02',
  'invalid input syntax for type cidr: "nowhere"', 'A key''s networks are networks.');
select lives_ok(
  $$ do 'begin for n in 2 .. 20 loop call test.add_key(n::text, null); end loop; end' $$, 'There is room for twenty keys.');
select throws_ok($$ call test.add_key('one more', null) $$, 'BM409', 'no room for another key',
  'There is room for no more.');
select throws_ok('select app.key_organization_id()', '42501', 'no organization''s key is bound to this transaction',
  'Who made a key has not come by it.');
reset role;

create function test.request(at text) returns app.origin language sql stable
  as $$ select row((test.origin()).request_id, '192.0.2.7', at::timestamptz)::app.origin $$;

-- Binding by a key: whose it is, what it is recognised by, what for, when, and from where.

create function test.come(given text, wanted text default 'scim', at text default '2026-03-07Z',
  from_address text default '192.0.2.7', organization uuid default test.acme()) returns text language plpgsql as $$
begin
  call test.be_unbound();
  begin
    perform app.bind_organization(organization, test.acme(), sha256(given::bytea), array[wanted], test.request(at), from_address);
    return 'in';
  exception
    when others then return sqlstate;
  end;
end
$$;
select is(test.come('key of Acme'), 'in', 'A program with a key is bound as its organization.');
select is(app.key_organization_id(), test.acme(), 'Bound by a key, the transaction acts for its organization.');
select is(test.come('guess'), 'BM401', 'Who only knows which key it is gets nowhere.');
select is(test.come('key of Acme', organization => test.umbrella()), 'BM401', 'A key opens no other organization.');
select is(test.come('key of Acme', at => '2026-09-06 18:00Z'), 'BM401', 'A key is over at its time.');
select is(test.come('key of Acme', from_address => '198.51.100.7'), 'BM401', 'A key is good from its networks alone.');
select is(test.come('key of Acme', from_address => '2001:db8::1'), 'BM401', 'An address of the other kind is in none of them.');
select is(test.come('key of Acme', wanted => 'everything'), 'BM403', 'A key does what it was made for, and nothing else.');
select throws_ok('select app.key_organization_id()', '42501', 'no organization''s key is bound to this transaction',
  'A refused key binds nothing.');
reset role;
update app.organization_key set sources = '{}', expires_at = null where key_id = test.acme();
select is(test.come('key of Acme', at => '2126-03-07Z', from_address => '2001:db8::1'), 'in',
  'A key without networks and without an end is good from anywhere for good.');

-- What it opens: no person, and nothing of one. The company's owner was bound before.
call test.be(test.ada(), test.acme());
select app.bind_organization(test.acme(), test.acme(), sha256('key of Acme'), array['scim'], test.request('2026-03-07Z'), '192.0.2.7');
select throws_ok('select app.uid()', '42501', 'no principal is bound to this transaction', 'Bound by a key, nobody is anybody.');
select throws_ok('select app.organization_id()', '42501', 'no principal is bound to this transaction',
  'Bound by a key, nobody is a member.');
select throws_ok('select from app.user', '42501', 'no principal is bound to this transaction', 'A key opens nobody''s account.');
select throws_ok('select from app.session', '42501', 'no principal is bound to this transaction', 'A key opens nobody''s practice.');
select throws_ok('select from app.member', '42501', 'no principal is bound to this transaction', 'A key shows no membership.');
select throws_ok('select from app.email_claim', '42501', 'no principal is bound to this transaction', 'A key shows no address.');
select throws_ok('select from board.company', '42501', 'no principal is bound to this transaction', 'A key shows no board.');
select throws_ok('select from app.organization_key', '42501', 'no principal is bound to this transaction', 'A key shows no keys.');

select lives_ok($$ select app.note_key_use(test.acme(), '2026-03-07') $$, 'That a key was used is noted by whoever came by it.');
reset role;
select is((select used_on from app.organization_key where key_id = test.acme()), '2026-03-07'::date, 'It was noted.');
select test.come('key of Acme');
select app.note_key_use(test.acme(), '2026-03-05');
reset role;
select is((select used_on from app.organization_key where key_id = test.acme()), '2026-03-07'::date, 'The last day stays.');

select * from finish();
rollback;
