namespace Hosting.Silo.Api;

/// <summary>No request waits for ever for another part of the platform.</summary>
internal static class Deadlines
{
    /// <summary>For one call of a grain or of the store.</summary>
    public static TimeSpan Call { get; } = TimeSpan.FromSeconds(5);

    /// <summary>The call's answer, or a <see cref="TimeoutException"/> once <see cref="Call"/> has passed.</summary>
    public static Task<T> Bounded<T>(this Task<T> call, CancellationToken cancel) => call.WaitAsync(Call, cancel);

    /// <inheritdoc cref="Bounded{T}"/>
    public static Task Bounded(this Task call, CancellationToken cancel) => call.WaitAsync(Call, cancel);
}
