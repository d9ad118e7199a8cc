using System.Runtime.CompilerServices;

namespace Hosting.Simulation.Tests.Time;

/// <summary>The turns of a grain that takes one request at a time: the next begins when the one before has ended, waits included.</summary>
internal sealed class Turns
{
    private readonly Queue<Action> _waiting = new();

    /// <summary>Whether a request is under way.</summary>
    public bool Busy { get; private set; }

    public async Task Run(Func<Task> request)
    {
        if (Busy) await new Place(this);
        Busy = true;
        try
        {
            await request();
        }
        finally
        {
            if (_waiting.TryDequeue(out var next)) next();
            else Busy = false;
        }
    }

    private readonly struct Place(Turns turns) : ICriticalNotifyCompletion
    {
#pragma warning disable CA1822 // the shape that await asks for
        public bool IsCompleted => false;

        public Place GetAwaiter() => this;

        public void GetResult()
        {
        }
#pragma warning restore CA1822

        public void OnCompleted(Action continuation) => turns._waiting.Enqueue(continuation);

        public void UnsafeOnCompleted(Action continuation) => turns._waiting.Enqueue(continuation);
    }
}
