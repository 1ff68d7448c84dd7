using Meanwhile.Logging;
using Meanwhile.Shared;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Stores;

/// <summary>Waits for a store that cannot be used for the moment: a full disk, a file that another program holds, a server that is away. Tries again, and says so.</summary>
internal sealed class StoreWait(ILogger logger, LogLimiter limiter, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private const string NotAcknowledged = "; what was not committed is not acknowledged, and will be sent again";

    /// <summary>Does something from the beginning, as often as it takes.</summary>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="UserException">It will never be possible.</exception>
    public Task<T> ForAsync<T>(Func<ValueTask<T>> work, CancellationToken stop) => TryAsync(work, static work => work(), inHand: null, stop).AsTask();

    /// <summary>Commits.</summary>
    /// <param name="state">What is to be committed.</param>
    /// <param name="commit">Does so.</param>
    /// <param name="stop">Leaves one more attempt.</param>
    /// <exception cref="UserException">It is not possible.</exception>
    public ValueTask<T> ForCommitAsync<TState, T>(TState state, Func<TState, ValueTask<T>> commit, CancellationToken stop) =>
        TryAsync(state, commit, NotAcknowledged, stop);

    private async ValueTask<T> TryAsync<TState, T>(TState state, Func<TState, ValueTask<T>> work, string? inHand, CancellationToken stop)
    {
        var (backoff, isSaid) = (new Backoff(FirstWait, LongestWait), false);
        while (true)
        {
            try
            {
                var result = await work(state);
                if (isSaid && inHand is not null)
                    Log.CommitsAgain(logger);
                return result;
            }
            catch (StoreException e) when (e.MayHeal && (inHand is null || !stop.IsCancellationRequested))
            {
                if (limiter.MayLog(e.Message, out var repeated))
                {
                    Log.CommitWaits(logger, e.Message, repeated);
                    isSaid = true;
                }
            }
            catch (StoreException e)
            {
                throw new UserException(e.Message + inHand, inner: e);
            }
            catch (OperationCanceledException e) when (inHand is not null)
            {
                throw new UserException("the store did not answer in time" + inHand, inner: e);
            }
            await Task.Delay(backoff.Next(), time, stop).ConfigureAwait(inHand is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
