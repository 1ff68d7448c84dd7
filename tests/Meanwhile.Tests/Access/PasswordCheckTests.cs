using System.Net;
using System.Text;
using Meanwhile.Access;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Access;

/// <summary>Who guesses a user's password waits, longer each time, and nobody else does.</summary>
public sealed class PasswordCheckTests : IDisposable
{
    private static readonly byte[] Right = Encoding.UTF8.GetBytes("right");
    private static readonly byte[] Wrong = Encoding.UTF8.GetBytes("wrong");
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");

    private readonly FakeTimeProvider _time = new();
    private readonly PasswordHash _hash = PasswordHash.Of(Right, iterations: 10);
    private readonly PasswordCheck _check;

    public PasswordCheckTests() => _check = new PasswordCheck(processors: 2, _time);

    public void Dispose() => _check.Dispose();

    [Fact]
    public async Task After_each_failure_the_next_one_from_there_waits_longer()
    {
        Assert.False(await CheckAsync(Here, Wrong));
        for (var pause = TimeSpan.FromMilliseconds(250); pause <= TimeSpan.FromSeconds(8); pause *= 2)
        {
            var next = CheckAsync(Here, Wrong);
            _time.Advance(pause - TimeSpan.FromMilliseconds(1));
            Assert.False(next.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.False(await next);
        }
    }

    [Fact]
    public async Task Others_do_not_wait_for_it_nor_does_a_password_that_was_right_before()
    {
        Assert.True(await CheckAsync(Here, Right, "known"));
        Assert.False(await CheckAsync(Here, Wrong));
        var guess = CheckAsync(Here, Wrong);
        Assert.True(await CheckAsync(Here, Right, "known"));
        Assert.True(await CheckAsync(IPAddress.Parse("192.0.2.2"), Right));
        Assert.False(guess.IsCompleted);
    }

    [Fact]
    public async Task A_network_of_ipv6_is_one_address_and_so_is_one_of_ipv4_in_its_clothes()
    {
        Assert.False(await CheckAsync(IPAddress.Parse("2001:db8::1"), Wrong));
        Assert.False(CheckAsync(IPAddress.Parse("2001:db8::2"), Wrong).IsCompleted);
        Assert.False(await CheckAsync(Here, Wrong));
        Assert.False(CheckAsync(Here.MapToIPv6(), Wrong).IsCompleted);
    }

    [Fact]
    public async Task A_failure_is_forgotten_after_some_minutes()
    {
        Assert.False(await CheckAsync(Here, Wrong));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.False(await CheckAsync(Here, Wrong));
    }

    [Fact]
    public async Task A_device_with_an_old_password_keeps_nobody_else_at_its_address_waiting()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.False(await CheckAsync(Here, Wrong, "old"));
            _time.Advance(TimeSpan.FromSeconds(8));
        }
        Assert.False(await CheckAsync(Here, Wrong, "old"));
        Assert.False(CheckAsync(Here, Wrong, "old").IsCompleted);
        Assert.True(await CheckAsync(Here, Right, "new"));
    }

    [Fact]
    public async Task In_a_flood_those_who_are_too_many_are_told_at_once_the_oldest_first()
    {
        Assert.False(await CheckAsync(Here, Wrong));
        var flood = Enumerable.Range(0, 1000).Select(_ => CheckAsync(Here, Wrong)).ToList();
        foreach (var login in flood[..^5])
            Assert.Null(await login);
        Assert.DoesNotContain(flood[^5..], login => login.IsCompleted);
        Assert.True(await CheckAsync(Here, Right, "another"));
    }

    [Fact]
    public async Task Who_tries_many_users_at_an_address_is_slowed_down_and_who_was_let_in_from_there_is_not()
    {
        Assert.True(await _check.RunAsync(Here, "known", PasswordHash.Of(Right, iterations: 10), Right, Stop));
        for (var i = 0; i < 101; i++)
            Assert.False(await CheckAsync(Here, Wrong, $"user {i}"));
        var stranger = CheckAsync(Here, Wrong, "user 101");
        Assert.True(await _check.RunAsync(Here, "known", PasswordHash.Of(Right, iterations: 10), Right, Stop));
        Assert.True(await CheckAsync(IPAddress.Parse("192.0.2.2"), Right));
        Assert.False(stranger.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await stranger);
    }

    [Fact]
    public async Task Nobody_waits_for_longer_than_ten_seconds()
    {
        Assert.False(await CheckAsync(Here, Wrong));
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(8));
            Assert.False(await CheckAsync(Here, Wrong));
        }
        var first = CheckAsync(Here, Wrong); // In eight seconds; the next one eight seconds after that.
        var second = CheckAsync(Here, Wrong);
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.False(await await Task.WhenAny(first, second));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([null, false], new[] { await first, await second }.Order());
    }

    [Fact]
    public async Task There_is_an_end_to_the_addresses_that_are_remembered()
    {
        for (var i = 0; i < 5050; i++) // For each address itself, and for its user.
        {
            Assert.False(await CheckAsync(new IPAddress(i + 1), Wrong));
            _time.Advance(TimeSpan.FromTicks(1));
        }
        Assert.False(CheckAsync(new IPAddress(5050), Wrong).IsCompleted);
        Assert.False(await CheckAsync(new IPAddress(1), Wrong)); // Forgotten.
    }

    [Fact]
    public async Task Who_is_unknown_is_refused_whatever_the_password() =>
        Assert.False(await _check.RunAsync(Here, "nobody", hash: null, Right, Stop));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Task<bool?> CheckAsync(IPAddress address, byte[] password, string user = "user") => _check.RunAsync(address, user, _hash, password, Stop).AsTask();
}
