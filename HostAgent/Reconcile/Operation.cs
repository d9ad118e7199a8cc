namespace Hosting.HostAgent.Reconcile;

/// <summary>The verbs of <see cref="Operation"/>.</summary>
internal enum Verb
{
    /// <summary>All is as wanted.</summary>
    Nothing,

    /// <summary>Nothing before <see cref="Operation.Until"/>.</summary>
    Wait,

    /// <summary>Ask the engine how the container is.</summary>
    Inspect,

    /// <summary>Get its image into the engine.</summary>
    FetchImage,

    /// <summary>Make it.</summary>
    Create,

    /// <summary>Start its process.</summary>
    Start,

    /// <summary>Stop its process with its grace.</summary>
    Stop,

    /// <summary>Remove it from the engine.</summary>
    Remove,

    /// <summary>It is neither wanted nor there: drop what is known of it.</summary>
    Forget,
}

/// <summary>The one next thing to do for a container.</summary>
/// <param name="Verb">What.</param>
/// <param name="Until">For <see cref="Verb.Wait"/>.</param>
internal readonly record struct Operation(Verb Verb, DateTimeOffset Until = default)
{
    /// <summary>The work it belongs to, which a backoff delays.</summary>
    public Work Work => Verb switch
    {
        Verb.Inspect => Work.Inspect,
        Verb.FetchImage or Verb.Create or Verb.Start => Work.Run,
        Verb.Stop or Verb.Remove => Work.CleanUp,
        _ => Work.None,
    };
}
