using System.Net;
using Meanwhile.Access;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Access;

/// <summary>Whose turn it is when more log in than can be checked.</summary>
public sealed class LoginQueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly LoginQueue _queue;

    public LoginQueueTests() => _queue = new LoginQueue(lanes: 1, _time);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task Twelve_hundred_logins_of_six_addresses_do_not_lock_out_a_seventh()
    {
        var now = await Turn(1, "first");
        var flood = Enumerable.Range(0, 1200).Select(i => Wait(2 + (i % 6), $"user {i}")).ToList();
        await Until.TrueAsync(() => flood.Count(login => login.IsCompleted) == 200, () => "a thousand wait");
        var other = Wait(100, "other");
        await Until.TrueAsync(() => flood.Count(login => login.IsCompleted) == 201, () => "and made room");
        var waiting = flood.Where(login => !login.IsCompleted).Append(other).ToList();
        for (var checks = 0; waiting.Contains(other); checks++)
        {
            Assert.True(checks <= 6, $"{checks} passwords of others were checked first");
            _queue.Finish(now, isRight: false, TimeSpan.Zero);
            var next = await Task.WhenAny(waiting);
            now = (await next)!;
            waiting.Remove(next);
        }
    }

    [Fact]
    public async Task An_address_without_failures_goes_before_those_with_some()
    {
        _queue.Finish(await Turn(1, "a"), isRight: false, TimeSpan.Zero);
        var now = await Turn(2, "b");
        var failed = Wait(1, "c");
        var clean = Wait(3, "d");
        _queue.Finish(now, isRight: true, TimeSpan.Zero);
        _queue.Finish((await clean)!, isRight: true, TimeSpan.Zero);
        _queue.Finish((await failed)!, isRight: true, TimeSpan.Zero);
    }

    [Fact]
    public async Task At_one_address_the_newest_goes_before_the_oldest_and_who_was_let_in_before_goes_first()
    {
        _queue.Finish(await Turn(1, "known"), isRight: true, TimeSpan.Zero);
        var now = await Turn(1, "first");
        var known = Wait(1, "known");
        var oldest = Wait(1, "a");
        var newest = Wait(1, "b");
        _queue.Finish(now, isRight: false, TimeSpan.Zero);
        _queue.Finish((await known)!, isRight: true, TimeSpan.Zero);
        _queue.Finish((await newest)!, isRight: true, TimeSpan.Zero);
        _queue.Finish((await oldest)!, isRight: true, TimeSpan.Zero);
    }

    [Fact]
    public async Task Who_has_gone_gives_up_its_place()
    {
        var now = await Turn(1, "first");
        using var gone = new CancellationTokenSource();
        var others = Enumerable.Range(0, 210).Select(i => _queue.WaitAsync(AddressOf(1), $"user {i % 70}", gone.Token).AsTask()).ToList();
        await gone.CancelAsync();
        foreach (var login in others.Skip(10)) // Ten had to go before, as two hundred may wait.
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => login);
        var next = Wait(1, "next");
        _queue.Finish(now, isRight: false, TimeSpan.Zero);
        Assert.NotNull(await next);
    }

    [Fact]
    public async Task Where_there_is_one_processor_it_rests_between_two_checks()
    {
        _queue.Finish(await Turn(1, "first"), isRight: true, rest: TimeSpan.FromMilliseconds(100));
        var next = Wait(2, "next");
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await next);
    }

    private static IPAddress AddressOf(int number) => new([192, 0, 2, (byte)number]);

    private async Task<LoginAttempt> Turn(int address, string user) => (await Wait(address, user))!;

    private Task<LoginAttempt?> Wait(int address, string user) => _queue.WaitAsync(AddressOf(address), user, TestContext.Current.CancellationToken).AsTask();
}
