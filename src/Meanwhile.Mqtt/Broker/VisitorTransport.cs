using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// The bytes of a connection, for which it takes turns with others as long as it is not let in. What is done with them follows in that turn: TLS, HTTP, and MQTT but over WebSocket,
/// where it comes after it.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="visitor">What it counts as.</param>
/// <param name="turns">Of those that are not let in.</param>
internal sealed class VisitorTransport(IDuplexPipe inner, Visitor visitor, Turns turns) : PipeReader, IDuplexPipe
{
    /// <inheritdoc/>
    public PipeReader Input => this;

    /// <inheritdoc/>
    public PipeWriter Output => inner.Output;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        visitor.IsClient ? inner.Input.ReadAsync(cancellationToken) : ReadInTurnAsync(cancellationToken);

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result) => inner.Input.TryRead(out result);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => inner.Input.AdvanceTo(consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.Input.AdvanceTo(consumed, examined);

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.Input.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Input.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.Input.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadInTurnAsync(CancellationToken cancellationToken)
    {
        var result = await inner.Input.ReadAsync(cancellationToken);
        await turns.Next();
        return result;
    }
}
