using System.Runtime.CompilerServices;

namespace Hosting.Simulation.Tests.Time;

/// <summary>A wait in virtual time. What comes after it runs as an event of its own: no thread, no scheduler.</summary>
internal readonly struct Pause(VirtualTime time, TimeSpan delay) : ICriticalNotifyCompletion
{
#pragma warning disable CA1822 // the shape that await asks for
    public bool IsCompleted => false;

    public Pause GetAwaiter() => this;

    public void GetResult()
    {
    }
#pragma warning restore CA1822

    public void OnCompleted(Action continuation) => time.After(delay, continuation);

    public void UnsafeOnCompleted(Action continuation) => time.After(delay, continuation);
}
