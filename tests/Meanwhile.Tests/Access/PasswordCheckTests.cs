using System.Net;
using System.Text;
using Meanwhile.Access;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Access;

/// <summary>Who guesses passwords waits, longer each time, and nobody else does.</summary>
public sealed class PasswordCheckTests : IDisposable
{
    private static readonly byte[] Right = Encoding.UTF8.GetBytes("right");
    private static readonly byte[] Wrong = Encoding.UTF8.GetBytes("wrong");
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");

    private readonly FakeTimeProvider _time = new();
    private readonly PasswordHash _hash = PasswordHash.Of(Right, iterations: 10);
    private readonly PasswordCheck _check;

    public PasswordCheckTests() => _check = new PasswordCheck(_time);

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
        Assert.True(await CheckAsync(Here, Right));
        Assert.False(await CheckAsync(Here, Wrong));
        var guess = CheckAsync(Here, Wrong);
        Assert.True(await CheckAsync(Here, Right));
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
    public async Task In_a_flood_those_who_are_too_many_are_told_at_once()
    {
        Assert.False(await CheckAsync(Here, Wrong));
        var flood = Enumerable.Range(0, 1000).Select(_ => CheckAsync(Here, Wrong)).ToList();
        Assert.Equal(800, flood.Count(login => login.IsCompleted));
        Assert.Null(await flood[^1]);
        Assert.True(await CheckAsync(IPAddress.Loopback, Right));
    }

    [Fact]
    public async Task There_is_an_end_to_the_addresses_that_are_remembered()
    {
        for (var i = 0; i < 10_050; i++)
            Assert.False(await CheckAsync(new IPAddress(i + 1), Wrong));
        Assert.False(CheckAsync(new IPAddress(10_050), Wrong).IsCompleted);
        Assert.False(await CheckAsync(new IPAddress(1), Wrong)); // Forgotten.
    }

    [Fact]
    public async Task Who_is_unknown_is_refused_whatever_the_password() =>
        Assert.False(await _check.RunAsync(Here, hash: null, Right, TestContext.Current.CancellationToken));

    private Task<bool?> CheckAsync(IPAddress address, byte[] password) => _check.RunAsync(address, _hash, password, TestContext.Current.CancellationToken).AsTask();
}
